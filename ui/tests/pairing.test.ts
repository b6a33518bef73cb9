import { describe, expect, test } from 'vitest';

import { asking, awaiting, grouped, isOpen, needsProfile, spelled, stepOf, waysLeft } from '../src/nearby/pairing';
import { pairing } from './values';

describe('a pairing', () => {
  test.each([
    [{ stage: 'OPENING' }, 'opening', true],
    [{}, 'compare', true],
    [{ confirmedThere: true }, 'compare', true],
    [{ confirmedHere: true }, 'there', true],
    [{ confirmedHere: true, confirmedThere: true }, 'making', true],
    [{ stage: 'LINKED', confirmedHere: true, confirmedThere: true }, 'linked', false],
    [{ stage: 'REJECTED', confirmedHere: true }, 'rejected', false],
    [{ stage: 'FAILED' }, 'failed', false],
    [{ stage: 'EXPIRED' }, 'expired', false],
  ] as const)('%j is at the step %s', (more, step, open) => {
    expect(stepOf(pairing(more))).toBe(step);
    expect(isOpen(pairing(more))).toBe(open);
  });

  test('waits for the operator here until he has confirmed, and asks him when another node began it', () => {
    const own = pairing();
    const theirs = pairing({ initiated: false, confirmedThere: true });
    const done = pairing({ initiated: false, confirmedHere: true });
    expect(awaiting([own, theirs, done])).toEqual([own, theirs]);
    expect(asking([own, theirs, done])).toEqual([theirs]);
    expect(asking([pairing({ initiated: false, stage: 'EXPIRED' })])).toEqual([]);
  });

  test('needs a profile only of who gives and did not begin', () => {
    expect(needsProfile(pairing({ initiated: false, provides: true }))).toBe(true);
    expect(needsProfile(pairing({ initiated: false, provides: true, profile: 'public' }))).toBe(false);
    expect(needsProfile(pairing({ initiated: true, provides: true, profile: 'public' }))).toBe(false);
    expect(needsProfile(pairing({ initiated: true, provides: false }))).toBe(false);
    expect(needsProfile(pairing({ initiated: false, provides: false, profile: 'public' }))).toBe(false);
  });
});

test('with a node nearby only those links can be begun that are not there', () => {
  expect(waysLeft('STRANGER', false)).toEqual(['TAKE', 'GIVE']);
  expect(waysLeft('PROVIDER', false)).toEqual(['GIVE']);
  expect(waysLeft('CONSUMER', false)).toEqual(['TAKE']);
  expect(waysLeft('BOTH', false)).toEqual([]);
});

test('a link that the provider ended can be begun anew', () => {
  expect(waysLeft('PROVIDER', true)).toEqual(['TAKE', 'GIVE']);
  expect(waysLeft('BOTH', true)).toEqual(['TAKE']);
});

test('a code keeps its zeros, is read in two groups, and is spelled for screen readers', () => {
  expect(grouped('042317')).toBe('042 317');
  expect(spelled('042317')).toBe('0 4 2, 3 1 7');
});
