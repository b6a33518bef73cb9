// Speaks to this page's own node: queries by POST, subscriptions by the protocol graphql-transport-ws.
import { Client, fetchExchange, stringifyDocument, type AnyVariables, type CombinedError, type TypedDocumentNode } from '@urql/core';
import { createClient as createSocket, type Client as Socket } from 'graphql-ws';

import { jitteredDelay } from '../live/backoff';
import { RefusedError, ofQuery, ofSubscription } from './errors';

export type SocketState = 'connecting' | 'connected' | 'disconnected';

const ASK_AGAIN_MS = 12_000;
const NO_PONG_MS = 8_000;

export interface Sink<Data> {
  next: (data: Data) => void;
  /** Called once: `null` when the node ended the stream in order. */
  end: (error: Error | null) => void;
}

export class Transport {
  readonly #client: Client;
  readonly #socket: Socket;

  /** `onState` hears of the socket, which opens with the first subscription and comes back by itself. */
  constructor(onState: (state: SocketState) => void) {
    this.#socket = openSocket(onState);
    this.#client = new Client({
      url: '/graphql',
      preferGetMethod: false,
      requestPolicy: 'network-only',
      fetchOptions: { credentials: 'same-origin' },
      exchanges: [fetchExchange],
    });
  }

  async query<Data, Variables extends AnyVariables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Promise<Data> {
    return told(await this.#client.query(document, variables).toPromise());
  }

  /** Asks the node to change something. Rejects as `query` does; nothing is tried twice. */
  async mutate<Data, Variables extends AnyVariables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Promise<Data> {
    return told(await this.#client.mutation(document, variables).toPromise());
  }

  /** Follows a stream over breaks of the connection until it ends or the returned function is called. */
  subscribe<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    sink: Sink<Data>,
  ): () => void {
    let ended = false;
    const end = (error: Error | null) => {
      if (!ended) sink.end(error);
      ended = true;
    };
    const stop = this.#socket.subscribe<Data>(
      { query: stringifyDocument(document), variables },
      {
        next: ({ data, errors }) => {
          if (errors !== undefined) end(ofSubscription(errors));
          else if (!ended && data !== undefined && data !== null) sink.next(data);
        },
        error: (cause) => { end(ofSubscription(cause)); },
        complete: () => { end(null); },
      },
    );
    return () => {
      ended = true;
      stop();
    };
  }
}

function told<Data>({ data, error }: { readonly data?: Data | undefined; readonly error?: CombinedError | undefined }): Data {
  if (error) throw ofQuery(error);
  if (data === undefined) throw new RefusedError('the node sent an empty answer');
  return data;
}

/** Ends after `delay` milliseconds, or as soon as the browser has a network again. */
function waited(delay: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      window.clearTimeout(timer);
      window.removeEventListener('online', done);
      resolve();
    };
    const timer = window.setTimeout(done, delay);
    window.addEventListener('online', done);
  });
}

function openSocket(onState: (state: SocketState) => void): Socket {
  let pongDue: number | undefined;
  const scheme = window.location.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket: Socket = createSocket({
    url: `${scheme}//${window.location.host}/graphql`,
    keepAlive: ASK_AGAIN_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (attempt) => waited(jitteredDelay(attempt, Math.random)),
    on: {
      connecting: () => { onState('connecting'); },
      connected: () => { onState('connected'); },
      closed: () => {
        window.clearTimeout(pongDue);
        onState('disconnected');
      },
      // A laptop that slept keeps a dead socket for minutes: no pong in time means that it is gone.
      ping: (received) => {
        if (!received) pongDue = window.setTimeout(() => { socket.terminate(); }, NO_PONG_MS);
      },
      pong: (received) => {
        if (received) window.clearTimeout(pongDue);
      },
    },
  });
  return socket;
}
