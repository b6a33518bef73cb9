// Decides how a run of a service is told: whether it lives, how it ended, and how bad that is.
import type { RunsQuery } from '../api/generated';
import type { Flow } from '../lane/lane';
import { texts } from '../texts';

export type Run = RunsQuery['runs'][number];

const said = texts.runs;

export interface Ending {
  readonly text: string;
  readonly flow: Flow;
}

export function endingOf(run: Run): Ending {
  if (run.alive) return { text: said.alive, flow: 'done' };
  if (run.error !== '') return { text: said.neverBegan(run.error), flow: 'stopped' };
  if (run.ended === null) return { text: said.unseen, flow: 'stopped' };
  const how = run.signal === null ? said.status(run.status ?? 0) : said.signal(run.signal);
  return run.stopped ? { text: said.stopped(how), flow: 'idle' } : { text: how, flow: 'stopped' };
}
