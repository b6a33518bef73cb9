// Keeps what the page shows equal to what the node says: one subscription gives hints, and each hint makes only
// those parts be read again that its topic concerns. After every reconnection all is read again, as hints were missed.
import type { AnyVariables, TypedDocumentNode } from '@urql/core';

import { DeniedError } from '../api/errors';
import {
  AlarmsDocument,
  ChangesDocument,
  FaultsDocument,
  FollowingDocument,
  LinksDocument,
  NearbyDocument,
  ServicesDocument,
  TasksDocument,
  UpwardDocument,
  type AlarmsQuery,
  type FaultsQuery,
  type FollowingQuery,
  type LinksQuery,
  type NearbyQuery,
  type ServicesQuery,
  type TasksQuery,
  type Topic,
  type UpwardQuery,
} from '../api/generated';
import { Transport, type SocketState } from '../api/transport';
import { jitteredDelay } from './backoff';
import { Refresher } from './refresher';
import { Store, type Readable } from './store';

/** `starting` until the first connection; `lost` from a break until the next one. */
export type Connection = 'starting' | 'live' | 'lost';

export const FAULTS_SHOWN = 50;
export const TASKS_SHOWN = 30;
export const ALARMS_SHOWN = 30;
const OUTBOX_READ = 200;

interface Part {
  readonly topics: ReadonlySet<Topic>;
  readonly refresher: Refresher;
}

const SERVICE_TOPICS: readonly Topic[] = ['DESIRED', 'VERSIONS', 'TASKS', 'LINKS', 'INSTANCES', 'FAULTS', 'SERVICES'];
const LINK_TOPICS: readonly Topic[] = ['LINKS', 'INSTANCES', 'PROFILES', 'TESTED'];
// Verdicts rest on what is listed, tested, stored and desired; a provider's penalty comes with an alarm.
const FOLLOWING_TOPICS: readonly Topic[] = ['LINKS', 'DESIRED', 'VERSIONS', 'TESTED', 'TASKS', 'ALARMS'];
// What is known of versions, of who built them, and of what a service needs for that.
const BUILD_TOPICS: readonly Topic[] = ['VERSIONS', 'SERVICES', 'TASKS'];
// Log lines are followed where they are shown: as hints they would only make noise.
const ALL_TOPICS: readonly Topic[] = [...SERVICE_TOPICS, 'PROFILES', 'TESTED', 'ALARMS', 'NEARBY', 'OUTBOX'];

export class LiveNode {
  readonly transport: Transport;
  readonly connection = new Store<Connection>('starting');
  readonly services: Readable<ServicesQuery | null>;
  readonly links: Readable<LinksQuery | null>;
  readonly tasks: Readable<TasksQuery | null>;
  readonly faults: Readable<FaultsQuery | null>;
  readonly following: Readable<FollowingQuery | null>;
  readonly upward: Readable<UpwardQuery | null>;
  readonly alarms: Readable<AlarmsQuery | null>;
  readonly nearby: Readable<NearbyQuery | null>;
  /** Becomes another number when what is shown of builds has to be read again. */
  readonly builds = new Store(0);
  readonly #parts: Part[] = [];
  readonly #onDenied: () => void;
  #unsubscribe: () => void = () => undefined;
  #again: number | undefined;
  #failures = 0;
  #socket: SocketState = 'connecting';

  /** `onDenied`: the session has ended. */
  constructor(onDenied: () => void) {
    this.#onDenied = onDenied;
    this.transport = new Transport(this.#onSocket);
    this.services = this.#part(ServicesDocument, {}, SERVICE_TOPICS);
    this.links = this.#part(LinksDocument, {}, LINK_TOPICS);
    this.tasks = this.#part(TasksDocument, { first: TASKS_SHOWN }, ['TASKS']);
    this.faults = this.#part(FaultsDocument, { first: FAULTS_SHOWN }, ['FAULTS']);
    this.following = this.#part(FollowingDocument, {}, FOLLOWING_TOPICS);
    this.upward = this.#part(UpwardDocument, { first: OUTBOX_READ }, ['OUTBOX', 'LINKS']);
    this.alarms = this.#part(AlarmsDocument, { first: ALARMS_SHOWN }, ['ALARMS']);
    this.nearby = this.#part(NearbyDocument, {}, ['NEARBY', 'LINKS']);
    this.#parts.push({ topics: new Set(BUILD_TOPICS), refresher: new Refresher(this.#stamp) });
  }

  start(): void {
    this.#readAll();
    this.#follow();
  }

  stop(): void {
    window.clearTimeout(this.#again);
    for (const { refresher } of this.#parts) refresher.stop();
    // The socket closes with its last subscription.
    this.#unsubscribe();
  }

  #part<Data, Variables extends AnyVariables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    topics: readonly Topic[],
  ): Readable<Data | null> {
    const store = new Store<Data | null>(null);
    const refresher = new Refresher(async () => {
      try {
        store.set(await this.transport.query(document, variables));
      } catch (error) {
        if (error instanceof DeniedError) this.#onDenied();
        throw error;
      }
    });
    this.#parts.push({ topics: new Set(topics), refresher });
    return store;
  }

  #readAll(): void {
    for (const { refresher } of this.#parts) refresher.now();
  }

  #stamp = (): Promise<void> => {
    this.builds.set(this.builds.get() + 1);
    return Promise.resolve();
  };

  #onSocket = (state: SocketState): void => {
    this.#socket = state;
    if (state === 'connected') {
      // What changed between the first reading and the subscription's start would be missed, too.
      this.#readAll();
      this.connection.set('live');
      this.#failures = 0;
    } else if (state === 'disconnected') {
      this.connection.set('lost');
      // Tells a node that is away from a session that has ended: only the answer to a query does.
      this.#parts[0]?.refresher.hint();
    }
  };

  #follow(): void {
    this.#unsubscribe = this.transport.subscribe(
      ChangesDocument,
      { topics: ALL_TOPICS },
      {
        next: ({ changes }) => {
          for (const { topics, refresher } of this.#parts) if (topics.has(changes.topic)) refresher.hint();
        },
        end: this.#onEnd,
      },
    );
  }

  #onEnd = (error: Error | null): void => {
    if (error instanceof DeniedError) {
      this.#onDenied();
      return;
    }
    this.connection.set('lost');
    this.#again = window.setTimeout(() => { this.#followAgain(); }, jitteredDelay(this.#failures++, Math.random));
  };

  #followAgain(): void {
    this.#follow();
    this.#readAll();
    // Another stream may have kept the socket open, which then does not connect anew.
    if (this.#socket === 'connected') this.connection.set('live');
  }
}
