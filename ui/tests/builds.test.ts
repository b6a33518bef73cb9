import { describe, expect, test } from 'vitest';

import { agreeing, agreementOf, lasted } from '../src/builds/agreement';
import { candidates, nameOfBuilder, nodeId, requirable } from '../src/builds/policy';
import { ANYWHERE, HERE, onOf, peerChoice, toldOf } from '../src/builds/where';
import { built, builder, links, policy, provider } from './values';

const ID = 'QMTYXZV-5WDLQ2K-PCVBA7H-SJ3NRGE-4KXOTUM-Z6FWQIB-LDCY7PA-HVNE2RS';

describe('the place of a build', () => {
  test.each([[HERE, null], [ANYWHERE, []], [peerChoice('acme'), ['acme']], [peerChoice('any'), ['any']]])('%s is told as %j', (choice, on) => {
    expect(onOf(choice)).toEqual(on);
  });

  test('a peer says whether it takes a build now, and how busy it is', () => {
    expect(toldOf(builder())).toEqual({
      flow: 'done', text: 'takes a build now',
      more: '0 of 2 builds for peers at work, load 0.4 on 8 processors, 12 GB memory and 210 GB disk free',
    });
  });

  test('a peer that could not be asked says why, and nothing that is not known', () => {
    const silent = { running: null, most: null, load: null, cpus: null, freeMemoryBytes: null, freeDiskBytes: null };
    expect(toldOf(builder({ takes: false, why: 'it grants no builds', ...silent })))
      .toEqual({ flow: 'waiting', text: 'takes none now: it grants no builds', more: '' });
  });
});

describe('the word of a builder', () => {
  test.each([[true, 'same'], [false, 'other'], [null, 'unknown']] as const)('same %s is told as %s', (same, agreement) => {
    expect(agreementOf(built({ same }))).toBe(agreement);
  });

  test('counts for the rule when it is named there and built the same image, once', () => {
    const words = [
      built({ builder: 'A' }), built({ builder: 'A' }), built({ builder: 'B', same: false }), built({ builder: 'C', same: null }),
      built({ builder: 'stranger' }),
    ];
    expect(agreeing(policy(), words)).toBe(1);
    expect(agreeing(policy(), [...words, built({ builder: 'C' })])).toBe(2);
  });

  test('a build never took less than no time, whatever the clock did', () => {
    expect(lasted({ started: '2026-01-01T10:00:00Z', finished: '2026-01-01T10:00:39Z' })).toBe(39);
    expect(lasted({ started: '2026-01-01T10:00:00Z', finished: '2026-01-01T09:00:00Z' })).toBe(0);
  });
});

describe('the rule on builders', () => {
  const here = { name: 'globex', id: 'G', url: '', version: '' };

  test('names this node, its providers, and whoever it counts already', () => {
    const known = candidates(here, links({ providers: [provider({ name: 'acme', id: 'A' })] }), policy({ builders: ['A', 'X'] }));
    expect(known.map(({ id }) => id)).toEqual(['G', 'A', 'X']);
    expect(nameOfBuilder('G', known)).toBe('globex, this node');
    expect(nameOfBuilder('X', known)).toBe('a node that is not linked');
    expect(candidates(here, null, null)).toHaveLength(1);
  });

  test.each([
    [ID, ID], [` ${ID.toLowerCase()} `, ID], [ID.replaceAll('-', ' '), ID], [ID.replaceAll('O', '0').replaceAll('B', '8'), ID],
    ['', null], [ID.slice(0, -1), null], [`${ID}A`, null], [ID.replace('Q', '9'), null],
  ])('%j is read as the id %j', (typed, id) => {
    expect(nodeId(typed)).toBe(id);
  });

  test('asks for no more builders than it has', () => {
    expect(requirable(3, 2)).toBe(2);
    expect(requirable(0, 2)).toBe(1);
    expect(requirable(2, 0)).toBe(1);
  });
});
