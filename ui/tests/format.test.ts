import { expect, test } from 'vitest';

import { bytes, share } from '../src/format/bytes';
import { ago, ahead, exact, span, stampedLine } from '../src/format/time';
import { baseOf, repository, shortId, versionParts } from '../src/format/version';

test.each([
  [0, '0 B'], [999, '999 B'], [1000, '1 kB'], [1214, '1.2 kB'], [9949, '9.9 kB'], [9950, '10 kB'], [310_400, '310 kB'],
  [999_499, '999 kB'], [999_500, '1 MB'], [8_400_000, '8.4 MB'], [5e15, '5000 TB'], [-5, '0 B'],
])('%d bytes read %s', (count, text) => {
  expect(bytes(count)).toBe(text);
});

test.each([
  [1214, 310_400, '0.4 %'], [310, 310, '100 %'], [1, 3, '33 %'], [5, 100_000, '< 0.01 %'], [50, 100_000, '0.05 %'],
  [0, 10, '0 %'], [9.97, 100, '10 %'], [1, 0, null],
])('%d of %d is %s', (part, whole, text) => {
  expect(share(part, whole)).toBe(text);
});

test.each([
  [-30, 'now'], [0, 'now'], [4, 'now'], [12, '12 sec. ago'], [61, '1 min. ago'], [3 * 3600, '3 hr. ago'],
  [86_400, 'yesterday'], [3 * 86_400, '3 days ago'], [400 * 86_400, 'last yr.'],
])('a moment %d seconds before now reads %s', (seconds, text) => {
  const now = Date.parse('2026-03-04T05:06:07Z');
  expect(ago(new Date(now - seconds * 1000).toISOString(), now, 'en')).toBe(text);
});

test.each([
  [-5, 'now'], [0.4, 'now'], [20, 'in 20 sec.'], [61, 'in 1 min.'], [599, 'in 10 min.'], [90_000, 'tomorrow'],
])('a moment %d seconds after now reads %s', (seconds, text) => {
  const now = Date.parse('2026-03-04T05:06:07Z');
  expect(ahead(new Date(now + seconds * 1000).toISOString(), now, 'en')).toBe(text);
});

test('an exact moment has its seconds and its zone', () => {
  expect(exact('2026-03-04T05:06:07Z', 'en')).toMatch(/2026.*:06:07.*(UTC|GMT|[A-Z]{2,5})/);
});

test.each([[0.26, '0.3 s'], [0.01, '< 0.1 s'], [0, '0 s'], [9.96, '10 s'], [59.6, '1 min'], [125, '2 min 5 s'], [3600, '1 h'], [4200, '1 h 10 min'], [-1, '0 s']])(
  'a span of %d s reads %s', (seconds, text) => {
    expect(span(seconds)).toBe(text);
  });

test('a version falls into node, build and site number at its last marks', () => {
  expect(versionParts('my-node-1.4.2_3')).toEqual({ node: 'my-node', build: '1.4.2', site: '3' });
  expect(versionParts('acme-1')).toEqual({ node: 'acme', build: '1', site: '' });
  expect(versionParts('odd')).toEqual({ node: '', build: 'odd', site: '' });
  expect(baseOf('acme-1.4.2_13')).toBe('acme-1.4.2');
  expect(baseOf('acme-1.4.2')).toBe('acme-1.4.2');
});

test('ids and addresses are shortened to what people know them by', () => {
  expect(shortId('AAAAAAA-BBBBBBB-CCCCCCC-DDDDDDD')).toBe('AAAAAAA-BBBBBBB…');
  expect(repository('https://git.example/team/shop.git')).toBe('team/shop');
  expect(repository('git@git.example:team/shop.git')).toBe('team/shop');
  expect(repository('/srv/git/guestbook/')).toBe('git/guestbook');
});

test('a log line that begins with a moment falls into moment and rest', () => {
  expect(stampedLine('2026-01-01T10:00:00.123Z   File "x"')).toEqual({ at: '2026-01-01T10:00:00.123Z', text: '  File "x"' });
  expect(stampedLine('no moment')).toEqual({ at: null, text: 'no moment' });
});
