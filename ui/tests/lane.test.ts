import { describe, expect, test } from 'vitest';

import { laneEvents } from '../src/lane/events';
import { laneOf, withdrawalOf, worst, type Fault, type Lane, type Service, type Task } from '../src/lane/lane';
import { verdictOf } from '../src/lane/verdict';
import type { LinksQuery } from '../src/api/generated';
import type { Verdict } from '../src/links/standing';
import { consumer, fault, instance, links, provider, service, state, task, verdict } from './values';

function lane(of: Service, around: LinksQuery | null, tasks: readonly Task[], faults: readonly Fault[] = [], verdicts: readonly Verdict[] = []): Lane {
  return laneOf(of, { links: around, tasks, faults, verdicts });
}

const settled = () => lane(service({ running: [state()] }), links(), []);

describe('a lane', () => {
  test('is in order when what is desired runs', () => {
    const made = settled();
    expect(made.flow).toBe('done');
    expect([made.origin.flow, made.developer.flow, made.client.flow, made.placesFlow]).toEqual(['done', 'done', 'done', 'done']);
    expect(made.client.note).toEqual({ kind: 'settled' });
  });

  test('stops at the instance that put the old version back, and still shows what runs there', () => {
    const failed = state({ running: 'acme-1.0.0', committed: 'acme-1.0.0', failed: 'acme-1.0.1', error: 'it ended' });
    const made = lane(service({ running: [failed] }), links(), []);
    expect(made.flow).toBe('stopped');
    expect(made.client.flow).toBe('done');
    expect(made.places[0]).toMatchObject({ version: 'acme-1.0.0', failed: 'acme-1.0.1', putBack: true, target: null, flow: 'stopped' });
  });

  test('forgets the failure of a version that is no longer desired', () => {
    const old = state({ failed: 'acme-1.0.0', error: 'long ago' });
    expect(lane(service({ running: [old] }), links(), []).flow).toBe('done');
  });

  test.each(['DOWNLOADING', 'INSTALLING', 'STARTING', 'PROBATION'] as const)('moves while an instance is %s', (phase) => {
    const made = lane(service({ running: [state({ phase, running: 'acme-1.0.0' })] }), links(), []);
    expect(made.flow).toBe('moving');
    expect(made.places[0]?.target).toBe('acme-1.0.1');
  });

  test('shows as waiting what an agent that is away last said', () => {
    const made = lane(service({ running: [state({ phase: 'DOWNLOADING' })] }), links({ instances: [instance({ connected: false })] }), []);
    expect(made.places[0]).toMatchObject({ flow: 'waiting', online: false });
  });

  test('shows the instances that are to run it and have said nothing, and no others', () => {
    const instances = [
      instance({ name: 'all' }), instance({ name: 'named', services: ['guestbook:web'], due: ['guestbook:web'] }),
      instance({ name: 'other', services: null, due: ['shop'] }), instance({ name: 'gone', revoked: true }),
    ];
    const made = lane(service(), links({ instances }), []);
    expect(made.places.map((place) => [place.instance, place.phase, place.flow])).toEqual([
      ['all', null, 'waiting'], ['named', null, 'waiting'],
    ]);
  });

  test('names the role of a service that has one', () => {
    const made = lane(service({ running: [state({ service: 'guestbook:web' })] }), links(), []);
    expect(made.places[0]?.role).toBe('web');
  });

  test('moves at the stage whose task is in flight', () => {
    const made = lane(service({ task: task({ state: 'RUNNING', ended: null }) }), links(), []);
    expect(made.client).toMatchObject({ flow: 'moving', note: { kind: 'task' } });
    expect(made.developer.flow).toBe('done');
  });

  test('stops at the stage whose newest task failed, until a later one succeeds', () => {
    const failed = task({ id: '1', state: 'FAILED', error: 'conflict', created: '2026-01-01T10:00:00Z' });
    const later = task({ id: '2', created: '2026-01-01T10:05:00Z' });
    expect(lane(service(), links(), [failed]).client).toMatchObject({ flow: 'stopped', note: { kind: 'failed', task: failed } });
    expect(lane(service(), links(), [later, failed]).client.flow).toBe('done');
    expect(lane(service(), links(), [task({ ...failed, service: 'shop' })]).client.flow).toBe('done');
  });

  test('takes a failed update from its provider for its own', () => {
    const failed = task({ kind: 'PROVIDER_UPDATE', service: null, subject: 'acme', state: 'FAILED', error: 'tampered' });
    expect(lane(service(), links(), [failed]).developer.flow).toBe('stopped');
    expect(lane(service({ developed: true, provider: null }), links(), [failed]).developer.flow).toBe('done');
  });

  test('waits for a person where the provider offers something and updates are off', () => {
    const offered = [{ service: 'guestbook', version: 'acme-1.0.2' }];
    const byHand = lane(service(), links({ providers: [provider({ offered, autoUpdate: 'OFF' })] }), []);
    expect(byHand.developer).toMatchObject({ flow: 'waiting', version: 'acme-1.0.1', note: { kind: 'offered', version: 'acme-1.0.2' } });
    expect(lane(service(), links({ providers: [provider({ offered })] }), []).developer.flow).toBe('moving');
    const away = links({ providers: [provider({ offered, connected: false })] });
    expect(lane(service(), away, []).developer.flow).toBe('waiting');
  });

  test('waits at the client version while it is made of an older developer version', () => {
    const made = lane(service({ clientDesired: 'acme-1.0.0_2', latestClient: 'acme-1.0.0_2' }), links(), []);
    expect(made.client).toMatchObject({ flow: 'waiting', note: { kind: 'next', version: 'acme-1.0.1' } });
  });

  test('needs no client version where no instance is attached', () => {
    const none = { clientDesired: null, latestClient: null };
    const made = lane(service({ developed: true, provider: null, ...none }), links({ instances: [] }), []);
    expect(made.client).toEqual({ version: null, flow: 'idle', note: { kind: 'unused' } });
    expect(made.flow).toBe('done');
  });

  test('stops at a provider whose last check failed', () => {
    const made = lane(service({ running: [state()] }), links({ providers: [provider({ error: 'tampered' })] }), []);
    expect(made.flow).toBe('stopped');
    expect(made.origin.error).toBe('tampered');
  });

  test('is passed on to the consumers of the profiles that hold it', () => {
    const profiles = [{ name: 'public', services: ['guestbook'] }, { name: 'inner', services: ['shop'] }];
    const made = lane(service(), links({ profiles, consumers: [consumer(), consumer({ name: 'other', profile: 'inner' })] }), []);
    expect(made.passedOn.map((one) => one.consumer)).toEqual(['initech']);
  });

  test('says why a version that is offered is held back, and does not show it as on its way', () => {
    const around = links({ providers: [provider({ offered: [{ service: 'guestbook', version: 'acme-1.0.2' }] })] });
    const of = service({ running: [state()] });
    expect(lane(of, around, []).developer).toMatchObject({ flow: 'moving', note: { kind: 'offered' } });
    const held = verdict();
    expect(lane(of, around, [], [], [held]).developer).toEqual({
      version: 'acme-1.0.1', flow: 'waiting', note: { kind: 'held', why: held.why },
    });
    const others = [verdict({ provider: 'umbrella' }), verdict({ service: 'shop' }), verdict({ version: 'acme-1.0.3' })];
    expect(lane(of, around, [], [], others).developer.note.kind).toBe('offered');
  });

  test('is in order where an operator chose another version than the one offered', () => {
    const around = links({ providers: [provider({ offered: [{ service: 'guestbook', version: 'acme-1.0.2' }] })] });
    const kept = verdict({ action: 'KEEP', reason: 'OPERATOR', why: 'held by operator: mia set acme-1.0.1' });
    const made = lane(service({ running: [state()], latestDeveloper: 'acme-1.0.2' }), around, [], [], [kept]);
    expect([made.flow, made.developer.note]).toEqual(['done', { kind: 'held', why: kept.why }]);
  });

  test('is red where a withdrawn version is in use, though nothing stops on its way', () => {
    const withdrawn = [{ version: 'acme-1.0.1', by: 'acme', reason: 'it loses entries', at: '' }];
    const of = service({ running: [state({ running: 'acme-1.0.1_2' })], withdrawn, clientDesired: 'acme-1.0.1_2', latestClient: 'acme-1.0.1_2' });
    const made = lane(of, links(), []);
    expect(made.flow).toBe('stopped');
    expect(made.way).not.toBe('stopped');
    expect(withdrawalOf(of, 'acme-1.0.1_2')?.by).toBe('acme');
    expect(withdrawalOf(of, 'acme-1.0.0')).toBeNull();
    expect(withdrawalOf(of, null)).toBeNull();
    expect(verdictOf([made])).toEqual({
      kind: 'stopped',
      stops: [{ at: 'withdrawn', service: 'guestbook', version: 'acme-1.0.1', by: 'acme', reason: 'it loses entries' }],
    });
  });

  test('can be shown before its links are known', () => {
    expect(lane(service({ running: [state()] }), null, []).flow).toBe('done');
  });
});

test('the worst of no flows is idle, and a stop outweighs all', () => {
  expect(worst([])).toBe('idle');
  expect(worst(['done', 'moving', 'stopped', 'waiting'])).toBe('stopped');
});

describe('crashes on probation elsewhere', () => {
  const made = service({ developed: true, provider: null });
  const away = [fault(), fault({ id: '2', instance: 'umbrella-1' }), fault({ id: '3' })];

  test('stop the lane of the version\'s maker, and are named once each', () => {
    const shown = lane(made, links(), [], away);
    expect(shown.crashedOn).toEqual(['initech-1', 'umbrella-1']);
    expect(shown.flow).toBe('stopped');
    expect(verdictOf([shown])).toEqual({
      kind: 'stopped',
      stops: [{ at: 'elsewhere', service: 'guestbook', version: 'acme-1.0.1', instances: ['initech-1', 'umbrella-1'] }],
    });
  });

  test('are told, but are not the stop of a node that only passes the service on', () => {
    const shown = lane(service({ running: [state()] }), links(), [], away);
    expect([shown.crashedOn.length, shown.flow]).toEqual([2, 'done']);
  });

  test('are forgotten with the next version, and are neither own ones nor later crashes nor other services\'', () => {
    const next = service({ ...made, developerDesired: 'acme-1.0.2', latestDeveloper: 'acme-1.0.2' });
    expect(lane(next, links(), [], away).crashedOn).toEqual([]);
    const others = [fault({ instance: 'globex-1' }), fault({ inProbation: false }), fault({ service: 'shop' })];
    expect(lane(service({ running: [state()] }), links(), [], others).crashedOn).toEqual([]);
  });
});

test('a reason does not name again the version beside it', () => {
  const failed = state({ running: 'acme-1.0.0', failed: 'acme-1.0.1', error: 'acme-1.0.1 ended on probation' });
  expect(lane(service({ running: [failed] }), links(), []).places[0]?.error).toBe('ended on probation');
});

describe('the verdict', () => {
  test('counts what runs when all is in order', () => {
    expect(verdictOf([settled()])).toEqual({ kind: 'done', services: 1, places: 1 });
    expect(verdictOf([])).toEqual({ kind: 'empty' });
  });

  test('names each stop with its reason before anything else', () => {
    const failed = state({ running: 'acme-1.0.0', failed: 'acme-1.0.1', error: 'it ended' });
    const moving = lane(service({ name: 'shop', running: [state({ phase: 'STARTING' })] }), links(), []);
    expect(verdictOf([moving, lane(service({ running: [failed] }), links(), [])])).toEqual({
      kind: 'stopped',
      stops: [{ at: 'instance', service: 'guestbook', instance: 'globex-1', version: 'acme-1.0.1', error: 'it ended' }],
    });
    expect(verdictOf([moving])).toEqual({ kind: 'moving', services: ['shop'] });
  });
});

describe('what a screen reader is told', () => {
  test('is nothing at first, and nothing when nothing changed', () => {
    expect(laneEvents(null, [settled()])).toEqual([]);
    expect(laneEvents([settled()], [settled()])).toEqual([]);
  });

  test('is each new version, each new phase and each failure', () => {
    const next = { developerDesired: 'acme-1.0.2', latestDeveloper: 'acme-1.0.2' };
    const starting = lane(service({ ...next, running: [state({ phase: 'STARTING' })] }), links(), []);
    expect(laneEvents([settled()], [starting])).toEqual([
      { kind: 'developer', service: 'guestbook', version: 'acme-1.0.2' },
      { kind: 'phase', service: 'guestbook', instance: 'globex-1', phase: 'STARTING', version: 'acme-1.0.1' },
    ]);
    const failed = lane(service({ running: [state({ running: 'acme-1.0.0', failed: 'acme-1.0.1' })] }), links(), []);
    expect(laneEvents([settled()], [failed])).toEqual([
      { kind: 'failed', service: 'guestbook', instance: 'globex-1', version: 'acme-1.0.1' },
    ]);
    expect(laneEvents([failed], [failed])).toEqual([]);
  });
});
