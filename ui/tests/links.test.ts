import { describe, expect, test } from 'vitest';

import type { AlarmsQuery, UpwardQuery } from '../src/api/generated';
import { ALL_RIGHTS, toggled } from '../src/links/rights';
import { flowOf, offersOf, standingOf, upwardOf } from '../src/links/standing';
import { provider, verdict } from './values';

const AT = '2026-01-01T10:00:00Z';

function alarm(kind: string, subject: string): AlarmsQuery['alarms'][number] {
  return { id: `${kind}/${subject}`, kind, subject, message: '', firstSeen: AT, lastSeen: AT, count: 1 };
}

describe('a link to a provider', () => {
  const nothing = { verdicts: [], alarms: [] };

  test('stands as its stream does, while nothing is wrong', () => {
    expect(standingOf(provider(), nothing)).toBe('connected');
    expect(standingOf(provider({ connected: false }), nothing)).toBe('disconnected');
  });

  test('is in error after a failed check, though connected', () => {
    expect(standingOf(provider({ error: 'it did not answer' }), nothing)).toBe('error');
  });

  test('is refused while its catalogue is not believed, as an alarm or a verdict says', () => {
    const failed = provider({ error: 'the catalogue is older than the one seen' });
    expect(standingOf(failed, { ...nothing, alarms: [alarm('catalog-refused', 'acme')] })).toBe('refused');
    expect(standingOf(failed, { ...nothing, verdicts: [verdict({ reason: 'REFUSED' })] })).toBe('refused');
    expect(standingOf(failed, { ...nothing, alarms: [alarm('catalog-refused', 'umbrella')] })).toBe('error');
    expect(standingOf(failed, { ...nothing, verdicts: [verdict({ reason: 'REFUSED', provider: 'umbrella' })] })).toBe('error');
  });

  test('is ended before all else', () => {
    const ended = provider({ ended: AT, error: 'denied' });
    expect(standingOf(ended, { ...nothing, alarms: [alarm('catalog-refused', 'acme')] })).toBe('ended');
  });
});

describe('what a provider offers', () => {
  test('stands by urgency, and what is as the provider wants stands apart', () => {
    const verdicts = [
      verdict({ service: 'a', action: 'KEEP', reason: 'CURRENT' }),
      verdict({ service: 'b', reason: 'WINDOW' }),
      verdict({ service: 'c', reason: 'WITHDRAWN' }),
      verdict({ service: 'd', action: 'TAKE', reason: 'NEW' }),
      verdict({ service: 'e', action: 'KEEP', reason: 'OPERATOR' }),
      verdict({ service: 'x', provider: 'umbrella' }),
    ];
    const { told, settled } = offersOf(provider({ offered: [] }), verdicts);
    expect(told.map(({ service, flow }) => [service, flow])).toEqual([['c', 'stopped'], ['d', 'moving'], ['b', 'waiting'], ['e', 'idle']]);
    expect(settled.map(({ service, flow }) => [service, flow])).toEqual([['a', 'done']]);
  });

  test('is shown, too, where nothing is decided yet', () => {
    const { told } = offersOf(provider(), []);
    expect(told).toEqual([{ service: 'guestbook', version: 'acme-1.0.1', verdict: null, flow: 'idle' }]);
    expect(offersOf(provider(), [verdict()]).told).toHaveLength(1);
  });

  test.each([
    ['REFUSED', 'stopped'], ['PENALISED', 'stopped'], ['FAILED', 'stopped'], ['EXPIRED', 'stopped'], ['ENDED', 'stopped'],
    ['UNTESTED', 'waiting'], ['WINDOW', 'waiting'], ['OFF', 'waiting'],
  ] as const)('is %s: %s', (reason, flow) => {
    expect(flowOf(verdict({ reason }))).toBe(flow);
  });
});

describe('what is to be sent up', () => {
  const way = { provider: 'acme', waiting: 2, failures: 0, due: null, error: '' };
  const entry = (created: string, more: Partial<UpwardQuery['outbox'][number]> = {}) =>
    ({ provider: 'acme', standing: 'WAITING', created, error: '', ...more }) as const;

  test('is not mentioned when nothing waits', () => {
    expect(upwardOf('acme', null)).toBeNull();
    expect(upwardOf('acme', { outboxWays: [{ ...way, waiting: 0 }], outbox: [entry(AT, { standing: 'DELIVERED' })] })).toBeNull();
  });

  test('has its number, its oldest moment and the reason why it waits', () => {
    const outbox = [
      entry('2026-01-01T12:00:00Z'), entry('2026-01-01T11:00:00Z', { standing: 'ASIDE', error: 'too busy' }),
      entry('2025-01-01T00:00:00Z', { provider: 'umbrella' }),
    ];
    expect(upwardOf('acme', { outboxWays: [way], outbox })).toEqual({
      waiting: 2, oldest: '2026-01-01T11:00:00Z', error: 'too busy', due: null, refused: 0, refusal: '',
    });
    const lost = { ...way, error: 'it does not answer', due: AT };
    expect(upwardOf('acme', { outboxWays: [lost], outbox })).toMatchObject({ error: 'it does not answer', due: AT });
  });

  test('tells what was refused for good', () => {
    const refused = [entry(AT, { standing: 'REFUSED', error: 'the right to send faults is missing' })];
    expect(upwardOf('acme', { outboxWays: [{ ...way, waiting: 0 }], outbox: refused })).toMatchObject({
      waiting: 0, oldest: null, refused: 1, refusal: 'the right to send faults is missing',
    });
  });
});

test('a click gives a right or takes it away, and leaves the others', () => {
  expect(toggled(['TAKE', 'FAULTS'], 'STATES')).toEqual(['TAKE', 'STATES', 'FAULTS']);
  expect(toggled(['TAKE', 'FAULTS'], 'TAKE')).toEqual(['FAULTS']);
  for (const right of ALL_RIGHTS) expect(toggled(toggled(['STATES'], right), right)).toEqual(['STATES']);
});
