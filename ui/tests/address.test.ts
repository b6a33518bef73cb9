import { expect, test } from 'vitest';

import { placeOf, toFault, toRuns, toService, toTask, toVersion } from '../src/page/place';
import { loginSecret } from '../src/session/secret';
import { LINES_KEPT, NO_LOG, grown, type LogRecord } from '../src/tasks/log';

test.each([
  ['#/login/abc_DEF-123', 'abc_DEF-123'], ['#/login/', null], ['', null], ['#/tasks/1', null], ['#/login/a b', null],
  [`#/login/${'a'.repeat(201)}`, null], ['#/login/x/y', null],
])('the fragment %s holds the secret %s', (fragment, secret) => {
  expect(loginSecret(fragment)).toBe(secret);
});

test('what is open can be read back from the address', () => {
  expect(placeOf(toFault('0b1e'))).toEqual({ kind: 'fault', id: '0b1e' });
  expect(placeOf(toTask('t-1'))).toEqual({ kind: 'task', id: 't-1' });
  expect(placeOf(toRuns('web-1', 'shop:worker')))
    .toEqual({ kind: 'runs', id: 'web-1/shop:worker', instance: 'web-1', service: 'shop:worker' });
  expect(placeOf(toVersion('CLIENT', 'shop', 'acme-1.0.1_2')))
    .toEqual({ kind: 'version', id: 'client/shop/acme-1.0.1_2', list: 'CLIENT', service: 'shop', version: 'acme-1.0.1_2' });
  expect(placeOf(toVersion('DEVELOPER', 'shop', 'acme-1.0.1')))
    .toEqual({ kind: 'version', id: 'developer/shop/acme-1.0.1', list: 'DEVELOPER', service: 'shop', version: 'acme-1.0.1' });
  expect(placeOf(toService('shop_2'))).toEqual({ kind: 'service', id: 'shop_2', service: 'shop_2' });
  expect(placeOf('#/versions/other/shop/acme-1.0.1')).toEqual({ kind: 'page' });
  expect(placeOf('#/services/Shop/../x')).toEqual({ kind: 'page' });
  expect(placeOf('#/runs/web-1/../x')).toEqual({ kind: 'page' });
  expect(placeOf('#/tasks/<script>')).toEqual({ kind: 'page' });
  expect(placeOf('')).toEqual({ kind: 'page' });
});

const line = (sequence: number): LogRecord => ({ sequence, time: '', level: 'INFO', unit: '', message: String(sequence) });

test('a log that is taken up again shows each line once', () => {
  const first = grown(NO_LOG, [line(1), line(2)]);
  const again = grown(first, [line(1), line(2), line(3)]);
  expect(again.records.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  expect(grown(again, [line(2)])).toBe(again);
});

test('a log keeps its newest lines within a bound, and says that it was cut', () => {
  const many = Array.from({ length: LINES_KEPT + 5 }, (_, index) => line(index + 1));
  const log = grown(NO_LOG, many);
  expect(log.records).toHaveLength(LINES_KEPT);
  expect(log.records[0]?.sequence).toBe(6);
  expect(log.cut).toBe(true);
});
