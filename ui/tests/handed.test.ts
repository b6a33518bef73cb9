import { expect, test } from 'vitest';

import { drops, handedOf, nameable } from '../src/builds/handed';
import { texts } from '../src/texts';

const acme = { id: 'A', name: 'acme' };
const lost = { id: 'L', name: '' };

test('a service that nothing is said of has its secrets handed to nobody', () => {
  const entrusted = [{ service: 'shop', builders: [acme] }];
  expect(handedOf('shop', entrusted)).toEqual([acme]);
  expect(handedOf('shopping', entrusted)).toEqual([]);
});

test('named can be whoever builds for this node or is named already, each once; no key without a name', () => {
  expect(nameable([{ name: 'hooli' }, { name: 'acme' }], [acme, { id: 'Z', name: 'zeta' }, lost])).toEqual(['acme', 'hooli', 'zeta']);
  expect(nameable([], [lost])).toEqual([]);
});

test('saving leaves out a key that no peer has any more', () => {
  expect(drops([acme])).toBe(false);
  expect(drops([acme, lost])).toBe(true);
});

test('each alarm that a node sounds about private files and settings has a name that people read', () => {
  expect(texts.alarms.kind('private-withheld')).toBe('Not offered: private files');
  expect(texts.alarms.kind('settings-not-seen')).toBe('Settings out of reach');
  expect(texts.alarms.kind('quite-new')).toBe('quite-new');
});
