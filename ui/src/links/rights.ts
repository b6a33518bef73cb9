// Decides which rights there are to give, and what is left of them after a click.
import type { Right } from '../api/generated';

export const ALL_RIGHTS: readonly Right[] = ['TAKE', 'STATES', 'FAULTS', 'BUILDS', 'TASK_LOGS'];

/** `rights` as people expect them: what matters most first. */
export function inOrder(rights: readonly Right[]): Right[] {
  return ALL_RIGHTS.filter((one) => rights.includes(one));
}

/** `rights` with `right` given or taken away; in the order of `ALL_RIGHTS`. */
export function toggled(rights: readonly Right[], right: Right): Right[] {
  return ALL_RIGHTS.filter((one) => (one === right) !== rights.includes(one));
}
