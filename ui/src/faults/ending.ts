// Decides how the end of a crashed service is told.
import type { FaultsQuery } from '../api/generated';
import { texts } from '../texts';

type Ended = Pick<FaultsQuery['faults'][number], 'reason' | 'exitStatus' | 'signal'>;

/** `ended unexpectedly, exit status 3`; `killed by a signal, SIGSEGV`. */
export function ending({ reason, exitStatus, signal }: Ended): string {
  const how = signal ?? (exitStatus === null ? null : texts.faults.status(exitStatus));
  const what = texts.faults.reason(reason);
  return how === null ? what : `${what}, ${how}`;
}
