// Decides how long to wait before the next attempt: full jitter, so that many pages do not return as one wave.

const FIRST_MS = 400;
const MOST_MS = 15_000;

/** Milliseconds before attempt number `attempt` (from 0); `random` gives numbers from 0 up to 1. */
export function jitteredDelay(attempt: number, random: () => number): number {
  const ceiling = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(FIRST_MS / 2 + random() * (ceiling - FIRST_MS / 2));
}
