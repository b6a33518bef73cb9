import { describe, expect, test } from 'vitest';

import { RefusedError, UnreachableError } from '../src/api/errors';
import { adaptable, beginEach, outcomesOf, tallyOf, type Begun } from '../src/batches/batch';
import { texts } from '../src/texts';
import { service, task } from './values';

const begun = (name: string): Begun => ({ service: name, task: `t-${name}`, error: '' });

test('only services with a desired developer version can be adapted, by name', () => {
  const services = [service({ name: 'shop' }), service({ name: 'mailer', developerDesired: null }), service({ name: 'billing' })];
  expect(adaptable(services)).toEqual(['billing', 'shop']);
});

describe('the services of a batch are begun one after the other', () => {
  test('and one that is refused hinders no other', async () => {
    const batch = await beginEach(['a', 'b', 'c'], (name) =>
      name === 'b' ? Promise.reject(new RefusedError('nothing is desired of b')) : Promise.resolve(`t-${name}`));
    expect(batch).toEqual([begun('a'), { service: 'b', task: null, error: 'nothing is desired of b' }, begun('c')]);
  });

  test('and a node that went away is not asked for the others', async () => {
    const asked: string[] = [];
    const batch = await beginEach(['a', 'b', 'c'], (name) => {
      asked.push(name);
      return name === 'a' ? Promise.resolve('t-a') : Promise.reject(new UnreachableError('the node is away'));
    });
    expect(asked).toEqual(['a', 'b']);
    expect(batch.slice(1)).toEqual(['b', 'c'].map((name) => ({ service: name, task: null, error: 'the node is away' })));
  });
});

describe('how a batch stands', () => {
  test('is told from its tasks; what is not among the tasks read is not ended', () => {
    const batch = [...['a', 'b', 'c', 'd', 'e'].map(begun), { service: 'f', task: null, error: 'refused' }];
    const outcomes = outcomesOf(batch, [
      task({ id: 't-a', state: 'SUCCEEDED' }), task({ id: 't-b', state: 'FAILED' }), task({ id: 't-c', state: 'RUNNING', ended: null }),
      task({ id: 't-d', state: 'CANCELLED' }), task({ id: 't-other', state: 'FAILED' }),
    ]);
    expect(outcomes.map((one) => one.task?.id ?? null)).toEqual(['t-a', 't-b', 't-c', 't-d', null, null]);
    expect(tallyOf(outcomes)).toEqual({ all: 6, done: 1, failed: 3, open: 2 });
  });

  test('is put into words without what there is none of', () => {
    expect(texts.batches.told({ all: 6, done: 1, failed: 3, open: 2 })).toBe('1 of 6 done, 3 failed, 2 not ended yet');
    expect(texts.batches.told({ all: 2, done: 2, failed: 0, open: 0 })).toBe('2 of 2 done');
  });
});
