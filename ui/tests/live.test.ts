import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { jitteredDelay } from '../src/live/backoff';
import { Refresher } from '../src/live/refresher';
import { Store } from '../src/live/store';

describe('the refresher', () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  test('reads once for many hints that come together', async () => {
    const read = vi.fn(() => Promise.resolve());
    const refresher = new Refresher(read);
    for (let i = 0; i < 20; i += 1) refresher.hint();
    expect(read).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(read).toHaveBeenCalledTimes(1);
  });

  test('is not starved by a stream of hints', async () => {
    const read = vi.fn(() => Promise.resolve());
    const refresher = new Refresher(read);
    for (let i = 0; i < 100; i += 1) {
      refresher.hint();
      await vi.advanceTimersByTimeAsync(20);
    }
    expect(read.mock.calls.length).toBeGreaterThan(10);
    expect(read.mock.calls.length).toBeLessThan(50);
  });

  test('never reads twice at once, and reads again for a hint that came meanwhile', async () => {
    const finish: (() => void)[] = [];
    const read = vi.fn(() => new Promise<void>((resolve) => finish.push(resolve)));
    const refresher = new Refresher(read);
    refresher.now();
    await vi.advanceTimersByTimeAsync(0);
    refresher.hint();
    refresher.now();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(read).toHaveBeenCalledTimes(1);
    finish[0]?.();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(read).toHaveBeenCalledTimes(2);
  });

  test('tries again after a failure, and a hint does not wait for that', async () => {
    const read = vi.fn(() => Promise.reject(new Error('away')));
    const refresher = new Refresher(read);
    refresher.now();
    await vi.advanceTimersByTimeAsync(0);
    expect(read).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(read.mock.calls.length).toBeGreaterThan(3);
    const before = read.mock.calls.length;
    refresher.hint();
    await vi.advanceTimersByTimeAsync(100);
    expect(read.mock.calls.length).toBeGreaterThan(before);
  });

  test('stays still once it is stopped', async () => {
    const read = vi.fn(() => Promise.reject(new Error('away')));
    const refresher = new Refresher(read);
    refresher.now();
    await vi.advanceTimersByTimeAsync(0);
    refresher.stop();
    refresher.hint();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(read).toHaveBeenCalledTimes(1);
  });
});

test('waits grow with the attempts, within bounds, and are spread', () => {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    const [least, most] = [jitteredDelay(attempt, () => 0), jitteredDelay(attempt, () => 0.999)];
    expect(least).toBe(200);
    expect(most).toBeLessThanOrEqual(15_000);
    expect(most).toBeGreaterThanOrEqual(attempt === 0 ? 399 : jitteredDelay(attempt - 1, () => 0.999));
  }
});

test('a store tells its listeners of changes only, until they leave', () => {
  const store = new Store(1);
  const heard: number[] = [];
  const leave = store.subscribe(() => heard.push(store.get()));
  store.set(1);
  store.set(2);
  leave();
  store.set(3);
  expect(heard).toEqual([2]);
});
