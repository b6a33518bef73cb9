// Decides how a task's log grows: records in order, each once, within a bound.
import type { TaskLogPageQuery } from '../api/generated';

export type LogRecord = TaskLogPageQuery['taskLog'][number];

export const LINES_KEPT = 4_000;

export interface TaskLog {
  readonly records: readonly LogRecord[];
  readonly last: number;
  readonly cut: boolean;
}

export const NO_LOG: TaskLog = { records: [], last: 0, cut: false };

/** The log with those of `more` that are new: a stream that was taken up again may repeat some. */
export function grown(log: TaskLog, more: readonly LogRecord[]): TaskLog {
  const fresh = more.filter(({ sequence }) => sequence > log.last);
  if (fresh.length === 0) return log;
  const all = [...log.records, ...fresh];
  const records = all.slice(-LINES_KEPT);
  return { records, last: fresh[fresh.length - 1]?.sequence ?? log.last, cut: log.cut || records.length < all.length };
}
