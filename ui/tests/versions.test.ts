import { expect, test } from 'vitest';

import { all, lineOf } from '../src/versions/comparison';
import { comparison, difference } from './values';

const file = (sizeBytes: number) => ({ kind: 'FILE', sizeBytes, target: null }) as const;
const link = (target: string) => ({ kind: 'LINK', sizeBytes: null, target }) as const;

test.each([
  [difference({ changes: ['ADDED'], after: file(812) }), '+', 'added', 'file, 812 B', 'done'],
  [difference({ changes: ['REMOVED'], before: file(812) }), '−', 'removed', 'file, 812 B', 'stopped'],
  [difference({ changes: ['CONTENT', 'MODE'], before: file(812), after: { ...file(1_200), kind: 'EXECUTABLE' } }), '~',
    'other content and other mode', 'file, 812 B → executable file, 1.2 kB', 'waiting'],
  [difference({ changes: ['CONTENT'], before: link('a'), after: link('b') }), '~', 'other content', 'link to a → link to b', 'waiting'],
  [difference({ changes: ['CONTENT'], before: file(5), after: file(5) }), '~', 'other content', 'file, 5 B', 'waiting'],
  [difference({ changes: ['KIND'], before: { kind: 'DIRECTORY', sizeBytes: null, target: null }, after: file(1) }), '~',
    'another kind', 'folder → file, 1 B', 'waiting'],
])('a path at which two images differ is told with what stood and what stands there: %#', (one, sign, words, detail, flow) => {
  expect(lineOf(one)).toEqual({ sign, words, detail, flow });
});

test('all paths are counted, also those that are not listed', () => {
  expect(all(comparison({ added: 212, removed: 1, changed: 2 }))).toBe(215);
});
