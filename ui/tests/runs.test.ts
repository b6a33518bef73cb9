import { expect, test } from 'vitest';

import { endingOf, type Run } from '../src/runs/ending';

const AT = '2026-01-01T00:00:00Z';

function run(more: Partial<Run>): Run {
  return { run: '1-a', version: 'acme-1.0.0', started: AT, alive: false, ended: AT, status: null, signal: null,
    stopped: false, error: '', lostLines: 0, ...more };
}

test.each([
  [run({ alive: true, ended: null }), 'runs', 'done'],
  [run({ ended: null }), 'its end was not seen', 'stopped'],
  [run({ error: 'no such program' }), 'never began: no such program', 'stopped'],
  [run({ status: 3 }), 'exit status 3', 'stopped'],
  [run({ signal: 'SEGV' }), 'killed by SIGSEGV', 'stopped'],
  [run({ signal: 'TERM', stopped: true }), 'stopped, killed by SIGTERM', 'idle'],
])('a run tells how it ended: %#', (one, text, flow) => {
  expect(endingOf(one)).toEqual({ text, flow });
});
