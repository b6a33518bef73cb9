// Who looks at this page: logging in by a one-time link, finding a session again, logging out.
import { Client, fetchExchange } from '@urql/core';

import { DeniedError, ofQuery } from '../api/errors';
import { SessionDocument, type SessionQuery } from '../api/generated';
import { jitteredDelay } from '../live/backoff';
import { Store } from '../live/store';
import { loginSecret } from './secret';

export type OutReason = 'never' | 'refused' | 'ended' | 'left';

export type SessionState =
  | { readonly kind: 'checking' }
  | { readonly kind: 'away' }
  | { readonly kind: 'out'; readonly reason: OutReason }
  | ({ readonly kind: 'in' } & SessionQuery);

const LOGIN_LIMIT_MS = 15_000;

export class Session {
  readonly state = new Store<SessionState>({ kind: 'checking' });
  /** Kept until a node has answered: a link that met a node just restarting is not lost. */
  #secret: string | null = null;
  #attempt = 0;
  #again: number | undefined;

  /** Use the address's secret if there is one, else the browser's session. */
  start(): void {
    window.addEventListener('hashchange', () => {
      if (loginSecret(window.location.hash) !== null) this.#enter();
    });
    this.#enter();
  }

  async logOut(): Promise<void> {
    try {
      await post('/auth/logout', {});
    } finally {
      this.state.set({ kind: 'out', reason: 'left' });
    }
  }

  /** The node refused a request: the session has run out, or was ended elsewhere. */
  ended = (): void => {
    if (this.state.get().kind === 'in') this.state.set({ kind: 'out', reason: 'ended' });
  };

  #enter(): void {
    const secret = loginSecret(window.location.hash);
    if (secret !== null) {
      this.#secret = secret;
      // Before anything is sent: the secret stays in no history, and in no picture of the page.
      window.history.replaceState(null, '', window.location.pathname);
    }
    this.#attempt = 0;
    this.state.set({ kind: 'checking' });
    void this.#try();
  }

  async #try(): Promise<void> {
    window.clearTimeout(this.#again);
    try {
      const refused = !(await this.#useSecret());
      this.state.set(await found(refused ? 'refused' : 'never'));
    } catch {
      this.state.set({ kind: 'away' });
      this.#again = window.setTimeout(() => void this.#try(), jitteredDelay(this.#attempt++, Math.random));
    }
  }

  /** Whether there was no secret, or a good one. Rejects when the node is away. */
  async #useSecret(): Promise<boolean> {
    if (this.#secret === null) return true;
    const answer = await post('/auth/login', { secret: this.#secret });
    if (answer.status >= 500) throw new Error('the node is not ready');
    this.#secret = null;
    return answer.ok;
  }
}

async function found(reason: OutReason): Promise<SessionState> {
  const client = new Client({ url: '/graphql', preferGetMethod: false, exchanges: [fetchExchange] });
  const { data, error } = await client.query(SessionDocument, {}).toPromise();
  if (data) return { kind: 'in', ...data };
  const cause = error === undefined ? new Error('an empty answer') : ofQuery(error);
  if (cause instanceof DeniedError) return { kind: 'out', reason };
  throw cause;
}

function post(path: string, body: object): Promise<Response> {
  return fetch(path, {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(LOGIN_LIMIT_MS),
  });
}
