// Decides which nodes can be named as builders of a service, and whether a rule made of them can be met.
import type { LinksQuery, SessionQuery } from '../api/generated';
import { shortId } from '../format/version';
import { texts } from '../texts';
import type { Policy } from './agreement';

const said = texts.builds;
const LETTERS = /^[A-Z2-7]{56}$/;
const GROUP = 7;
/** What people type for letters that look alike. */
const MEANT: Readonly<Record<string, string>> = { 0: 'O', 1: 'I', 8: 'B' };

export interface Candidate {
  readonly id: string;
  readonly name: string;
}

/** This node, its providers, and whoever the present rule counts besides. */
export function candidates(here: SessionQuery['node'], links: Pick<LinksQuery, 'providers'> | null, policy: Policy | null): Candidate[] {
  const known: Candidate[] = [
    { id: here.id, name: said.thisNode(here.name) },
    ...(links?.providers ?? []).map(({ id, name }) => ({ id, name })),
  ];
  const others = (policy?.builders ?? []).filter((id) => !known.some((one) => one.id === id));
  return [...known, ...others.map((id) => ({ id, name: said.unknownNode }))];
}

export function nameOfBuilder(id: string, known: readonly Candidate[]): string {
  return known.find((one) => one.id === id)?.name ?? shortId(id);
}

/** `typed` as a node id, or `null` when it has not the form of one. The node looks at its check letters. */
export function nodeId(typed: string): string | null {
  const letters = typed.replace(/[\s-]/g, '').toUpperCase().replace(/[018]/g, (digit) => MEANT[digit] ?? digit);
  if (!LETTERS.test(letters)) return null;
  return Array.from({ length: letters.length / GROUP }, (_, at) => letters.slice(at * GROUP, (at + 1) * GROUP)).join('-');
}

/** The number that is asked for, within what so many builders can meet. */
export function requirable(require: number, builders: number): number {
  return Math.min(Math.max(1, require), Math.max(1, builders));
}
