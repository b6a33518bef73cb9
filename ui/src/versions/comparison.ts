// Decides how one path at which two images differ is told.
import type { ComparisonQuery, ImageChange } from '../api/generated';
import { bytes } from '../format/bytes';
import type { Flow } from '../lane/lane';
import { texts } from '../texts';

export type Comparison = ComparisonQuery['compareVersions'];
export type Difference = Comparison['differences'][number];
type Entry = NonNullable<Difference['before']>;

const said = texts.versions;
const SIGNS: Partial<Record<ImageChange, { readonly sign: string; readonly flow: Flow }>> = {
  ADDED: { sign: '+', flow: 'done' },
  REMOVED: { sign: '−', flow: 'stopped' },
};
const CHANGED = { sign: '~', flow: 'waiting' } as const;

export interface Line {
  readonly sign: string;
  readonly flow: Flow;
  readonly words: string;
  readonly detail: string;
}

export function lineOf({ changes, before, after }: Difference): Line {
  const [first] = changes;
  const { sign, flow } = (first === undefined ? undefined : SIGNS[first]) ?? CHANGED;
  return { sign, flow, words: said.changes(changes), detail: detailOf(before, after) };
}

export const all = ({ added, removed, changed }: Comparison): number => added + removed + changed;

function detailOf(before: Entry | null, after: Entry | null): string {
  const [was, is] = [told(before), told(after)];
  if (was === '' || is === '' || was === is) return is === '' ? was : is;
  return said.became(was, is);
}

function told(entry: Entry | null): string {
  if (entry === null) return '';
  if (entry.target !== null) return said.link(entry.target);
  const kind = said.entryKinds[entry.kind];
  return entry.sizeBytes === null ? kind : `${kind}, ${bytes(entry.sizeBytes)}`;
}
