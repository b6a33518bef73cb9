// Values for tests, as the node would send them.
import type { LinksQuery } from '../src/api/generated';
import type { Built, Policy } from '../src/builds/agreement';
import type { Builder } from '../src/builds/where';
import type { Verdict } from '../src/links/standing';
import type { Comparison, Difference } from '../src/versions/comparison';
import type { Pairing } from '../src/nearby/pairing';
import type { Fault, Instance, Provider, Service, ServicePlace, Task } from '../src/lane/lane';

type Consumer = LinksQuery['consumers'][number];
const AT = '2026-01-01T10:00:00Z';

export function service(more: Partial<Service> = {}): Service {
  return {
    name: 'guestbook', developed: false, provider: 'acme', developerDesired: 'acme-1.0.1', clientDesired: 'acme-1.0.1',
    latestDeveloper: 'acme-1.0.1', latestClient: 'acme-1.0.1', faults: 0, sources: [], running: [], task: null,
    lastTransfer: null, withdrawn: [], tagged: false, site: null, watched: false, looks: [], ...more,
  };
}

export function state(more: Partial<ServicePlace> = {}): ServicePlace {
  return {
    instance: 'globex-1', service: 'guestbook', phase: 'RUNNING', since: AT, desired: 'acme-1.0.1',
    running: 'acme-1.0.1', committed: 'acme-1.0.1', failed: null, error: '', failures: 0, lastExit: '', halted: false, held: false, moved: null, ...more,
  };
}

export function task(more: Partial<Task> = {}): Task {
  return {
    id: 't', kind: 'CLIENT_BUILD', title: 'a task', who: 'globex', service: 'guestbook', subject: '', state: 'SUCCEEDED',
    created: AT, started: AT, ended: AT, error: '', result: '', waitsFor: '', ...more,
  };
}

export function provider(more: Partial<Provider> = {}): Provider {
  return {
    name: 'acme', id: 'A', url: 'http://acme', profile: 'public', linked: AT, autoUpdate: 'INSTALL', connected: true,
    checked: AT, error: '', window: '', testedBy: null, rights: ['TAKE'], freshUntil: null, ended: null, offeredUrl: '', builds: false,
    offered: [{ service: 'guestbook', version: 'acme-1.0.1' }], ...more,
  };
}

export function instance(more: Partial<Instance> = {}): Instance {
  return { name: 'globex-1', id: 'I', enrolled: AT, seen: AT, connected: true, revoked: false, labels: [], services: null, due: ['guestbook'], fixed: null, problem: '', clockAheadSeconds: 0, awaits: [], ...more };
}

export function consumer(more: Partial<Consumer> = {}): Consumer {
  return {
    name: 'initech', id: 'C', profile: 'public', linked: AT, rights: ['TAKE'], tester: false, seen: null, connected: true,
    report: null, ...more,
  };
}

export function verdict(more: Partial<Verdict> = {}): Verdict {
  return {
    service: 'guestbook', provider: 'acme', version: 'acme-1.0.2', action: 'HOLD', reason: 'UNTESTED',
    why: 'held until initech marks acme-1.0.2 as tested', until: null, ...more,
  };
}

export function pairing(more: Partial<Pairing> = {}): Pairing {
  return {
    id: 'p', node: 'acme', nodeId: 'A', url: 'http://acme', initiated: true, provides: false, profile: null, code: '042317',
    stage: 'COMPARING', confirmedHere: false, confirmedThere: false, opened: AT, expires: AT, reason: '', ...more,
  };
}

export function links(more: Partial<LinksQuery> = {}): LinksQuery {
  return { providers: [provider()], consumers: [], profiles: [], instances: [instance()], ...more };
}

export function fault(more: Partial<Fault> = {}): Fault {
  return {
    id: '1', service: 'guestbook', version: 'acme-1.0.1_2', instance: 'initech-1', occurred: AT, reason: 'exited',
    exitStatus: 3, signal: null, message: '', inProbation: true, putBack: 'acme-1.0.0', path: [], received: AT,
    forwardTo: null, forwarded: null, ...more,
  };
}

export function built(more: Partial<Built> = {}): Built {
  return {
    builder: 'A', node: 'acme', same: true, walls: 'sandbox', network: false, started: AT, finished: AT, program: '0.1.0',
    difference: [], sources: [{ name: 'shop', url: 'https://git.example/shop.git', ref: 'main', commit: 'c0ffee' }], ...more,
  };
}

export function policy(more: Partial<Policy> = {}): Policy {
  return { service: 'shop', builders: ['A', 'B', 'C'], require: 2, ...more };
}

export function builder(more: Partial<Builder> = {}): Builder {
  return {
    name: 'acme', kind: 'PROVIDER', takes: true, why: '', running: 0, most: 2, load: 0.4, cpus: 8, freeMemoryBytes: 12e9, freeDiskBytes: 210e9, ...more,
  };
}

export function difference(more: Partial<Difference> = {}): Difference {
  return { path: 'bin/shop', changes: ['CONTENT'], before: null, after: null, ...more };
}

export function comparison(more: Partial<Comparison> = {}): Comparison {
  return {
    same: false, sizeBytesBefore: 10, sizeBytesAfter: 20, added: 0, removed: 0, changed: 1, differences: [difference()], ...more,
  };
}
