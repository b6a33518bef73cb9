// Decides which services a batch of client versions can be made of, and how such a batch stands.
import { UnreachableError } from '../api/errors';
import { inFlight, type Service, type Task } from '../lane/lane';

/** One service of a batch. `task`: its id; `null`: none was begun, for the reason `error`. */
export interface Begun {
  readonly service: string;
  readonly task: string | null;
  readonly error: string;
}

/** The services that have something to adapt, by name. */
export function adaptable(services: readonly Service[]): string[] {
  return services.filter(({ developerDesired }) => developerDesired !== null).map(({ name }) => name).sort();
}

/** Begins one after the other, in order. What is refused hinders no other; a node that is away is not asked further. */
export async function beginEach(services: readonly string[], begin: (service: string) => Promise<string>): Promise<Begun[]> {
  const begun: Begun[] = [];
  let away = '';
  for (const service of services) {
    try {
      begun.push(away === '' ? { service, task: await begin(service), error: '' } : { service, task: null, error: away });
    } catch (cause) {
      const error = cause instanceof Error ? cause.message : String(cause);
      if (cause instanceof UnreachableError) away = error;
      begun.push({ service, task: null, error });
    }
  }
  return begun;
}

export interface Outcome {
  readonly begun: Begun;
  /** `null`: not begun, not read yet, or not among the recent tasks any more. */
  readonly task: Task | null;
}

export function outcomesOf(batch: readonly Begun[], tasks: readonly Task[]): Outcome[] {
  const known = new Map(tasks.map((task) => [task.id, task]));
  return batch.map((begun) => ({ begun, task: begun.task === null ? null : (known.get(begun.task) ?? null) }));
}

export interface Tally {
  readonly all: number;
  readonly done: number;
  readonly failed: number;
  readonly open: number;
}

/** What was cancelled or interrupted made no version: it counts as failed. */
export function tallyOf(outcomes: readonly Outcome[]): Tally {
  const done = outcomes.filter(({ task }) => task?.state === 'SUCCEEDED').length;
  const open = outcomes.filter(({ begun, task }) => begun.task !== null && (task === null || inFlight(task))).length;
  return { all: outcomes.length, done, failed: outcomes.length - done - open, open };
}
