// Decides when something is read again: soon after a hint, once for many hints, never twice at once, and after a
// failure again with growing waits. What reading means is the caller's.
import { jitteredDelay } from './backoff';

const QUIET_MS = 80;

export class Refresher {
  readonly #read: () => Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state: 'idle' | 'due' | 'retrying' | 'reading' | 'stopped' = 'idle';
  #hints = 0;
  #failures = 0;

  /** `read` does the work; when it rejects it is called again later. */
  constructor(read: () => Promise<void>) {
    this.#read = read;
  }

  /** Something changed. Later hints never put off an earlier one, so a stream of hints can't starve the page. */
  hint = (): void => {
    if (this.#state === 'reading') this.#hints += 1;
    else if (this.#state === 'idle' || this.#state === 'retrying') this.#schedule('due', QUIET_MS);
  };

  /** Read at once, also after a stop. */
  now = (): void => {
    if (this.#state === 'reading') this.#hints += 1;
    else this.#schedule('due', 0);
  };

  stop = (): void => {
    this.#state = 'stopped';
    clearTimeout(this.#timer);
  };

  #schedule(state: 'due' | 'retrying', delay: number): void {
    this.#state = state;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), delay);
  }

  async #run(): Promise<void> {
    this.#state = 'reading';
    const seen = this.#hints;
    const failed = await this.#read().then(() => false, () => true);
    if (this.#stopped()) return;
    this.#state = 'idle';
    this.#failures = failed ? this.#failures + 1 : 0;
    if (failed) this.#schedule('retrying', jitteredDelay(this.#failures, Math.random));
    else if (this.#hints !== seen) this.#schedule('due', QUIET_MS);
  }

  #stopped(): boolean {
    return this.#state === 'stopped';
  }
}
