// The present moment for all relative times of the page: one timer, one step for all.
import { useSyncExternalStore } from 'react';

const STEP_MS = 5_000;
let now = Date.now();
let timer: number | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(step, STEP_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    window.clearInterval(timer);
    timer = undefined;
  };
}

function step(): void {
  now = Date.now();
  for (const listener of [...listeners]) listener();
}

/** Milliseconds since 1970, a few seconds old at most. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
