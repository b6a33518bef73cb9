// Decides what is shown of one service on its way: which version stands at each stage, whether it moves, waits or
// stopped there, and why. No texts, no markup: values in, values out.
import type { FaultsQuery, FollowingQuery, LinksQuery, Phase, ServicesQuery, TasksQuery } from '../api/generated';
import { baseOf } from '../format/version';

export type Service = ServicesQuery['services'][number];
export type ServicePlace = Service['running'][number];
export type Withdrawal = Service['withdrawn'][number];
export type Task = TasksQuery['tasks'][number];
export type Provider = LinksQuery['providers'][number];
export type Fault = FaultsQuery['faults'][number];
export type Instance = LinksQuery['instances'][number];

/** How a stage stands; in `worst` the first of these wins. */
export type Flow = 'stopped' | 'moving' | 'waiting' | 'done' | 'idle';

export interface Origin {
  readonly kind: 'built' | 'provider' | 'unknown';
  readonly name: string;
  readonly url: string;
  readonly ref: string;
  readonly connected: boolean;
  readonly error: string;
  readonly flow: Flow;
}

export type StageNote =
  | { readonly kind: 'none' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unused' }
  | { readonly kind: 'settled' }
  | { readonly kind: 'next'; readonly version: string }
  | { readonly kind: 'offered'; readonly version: string; readonly by: string; readonly byItself: boolean }
  | { readonly kind: 'held'; readonly why: string }
  | { readonly kind: 'task'; readonly task: Task }
  | { readonly kind: 'failed'; readonly task: Task };

export interface Stage {
  readonly version: string | null;
  readonly flow: Flow;
  readonly note: StageNote;
}

export interface Place {
  readonly instance: string;
  readonly role: string | null;
  readonly flow: Flow;
  readonly phase: Phase | null;
  readonly version: string | null;
  /** The version on its way in, when it is another one than what runs. */
  readonly target: string | null;
  readonly failed: string | null;
  readonly putBack: boolean;
  readonly error: string;
  readonly online: boolean;
  readonly seen: string | null;
  readonly state: ServicePlace | null;
}

export interface Lane {
  readonly service: Service;
  readonly flow: Flow;
  /** The same, but for withdrawn versions in use: those stop nothing on its way. */
  readonly way: Flow;
  readonly origin: Origin;
  readonly developer: Stage;
  readonly client: Stage;
  readonly places: readonly Place[];
  readonly placesFlow: Flow;
  readonly passedOn: readonly PassedOn[];
  /** Instances of other nodes that reported a crash of this very developer version on probation. */
  readonly crashedOn: readonly string[];
}

export interface PassedOn {
  readonly consumer: string;
  readonly profile: string;
  readonly connected: boolean;
}

const ORDER: readonly Flow[] = ['stopped', 'moving', 'waiting', 'done', 'idle'];
const CHANGING: ReadonlySet<Phase> = new Set(['DOWNLOADING', 'INSTALLING', 'STARTING', 'PROBATION']);
const NO_NOTE: StageNote = { kind: 'none' };

/** The flow that a group shows: the most urgent of its members'. */
export function worst(flows: readonly Flow[]): Flow {
  return ORDER.find((flow) => flows.includes(flow)) ?? 'idle';
}

/** What a lane is made of beside its service. `links` may not have been read yet. */
export interface Surroundings {
  readonly links: LinksQuery | null;
  readonly tasks: readonly Task[];
  readonly faults: readonly Fault[];
  /** What is decided on each version that providers offer. */
  readonly verdicts: FollowingQuery['verdicts'];
}

export function laneOf(service: Service, { links, tasks, faults, verdicts }: Surroundings): Lane {
  const provider = links?.providers.find(({ name }) => name === service.provider) ?? null;
  const origin = originOf(service, provider);
  const developer = developerStage(service, provider, tasks, verdicts);
  const places = placesOf(service, links?.instances ?? []);
  const client = clientStage(service, developer, places.length > 0, tasks);
  const placesFlow = worst(places.map(({ flow }) => flow));
  const crashedOn = crashedElsewhere(developer.version, places, faults.filter((fault) => nameOf(fault.service) === service.name));
  // Only the version's maker can do something about it: for him it stops there.
  const below = service.developed && crashedOn.length > 0 ? 'stopped' : 'idle';
  const way = worst([origin.flow === 'stopped' ? 'stopped' : 'idle', developer.flow, client.flow, placesFlow, below]);
  const flow = service.withdrawn.length > 0 ? 'stopped' : way;
  return { service, flow, way, origin, developer, client, places, placesFlow, passedOn: passedOnOf(service, links), crashedOn };
}

/** That `version`, a client version or the developer version under one, is not to be used any more. */
export function withdrawalOf(service: Service, version: string | null): Withdrawal | null {
  return version === null ? null : (service.withdrawn.find((one) => one.version === baseOf(version)) ?? null);
}

/** The service of a key that may name a role: `shop:worker` → `shop`. */
function nameOf(key: string): string {
  return key.split(':')[0] ?? key;
}

function crashedElsewhere(version: string | null, places: readonly Place[], faults: readonly Fault[]): string[] {
  const here = new Set(places.map((place) => place.instance));
  const found = faults.filter((fault) => fault.inProbation && baseOf(fault.version) === version && !here.has(fault.instance));
  return [...new Set(found.map((fault) => fault.instance))].sort();
}

function originOf(service: Service, provider: Provider | null): Origin {
  const [source] = service.sources;
  const built = { kind: 'built', name: source?.name ?? '', url: source?.url ?? '', ref: source?.ref ?? '' } as const;
  if (service.developed) return { ...built, connected: true, error: '', flow: 'done' };
  if (service.provider === null) return { ...built, kind: 'unknown', connected: true, error: '', flow: 'idle' };
  const connected = provider?.connected ?? true;
  const error = provider?.error ?? '';
  const flow = error !== '' ? 'stopped' : connected ? 'done' : 'waiting';
  return { kind: 'provider', name: service.provider, url: provider?.url ?? '', ref: '', connected, error, flow };
}

function developerStage(service: Service, provider: Provider | null, tasks: readonly Task[], verdicts: FollowingQuery['verdicts']): Stage {
  const version = service.developerDesired ?? service.latestDeveloper;
  const kind = service.developed ? 'BUILD' : 'PROVIDER_UPDATE';
  const concerns = (task: Task) =>
    task.kind === kind && (task.service === service.name || (!service.developed && task.subject === service.provider));
  const byTask = taskStage(version, service.task, tasks, concerns);
  if (byTask !== null) return byTask;
  const offered = provider?.offered.find((entry) => entry.service === service.name)?.version ?? null;
  const held = verdicts.find((verdict) =>
    verdict.service === service.name && verdict.provider === provider?.name && verdict.version === offered);
  if (held !== undefined && offered !== version && (held.action === 'HOLD' || held.action === 'KEEP')) {
    // What is kept is settled: an operator chose so, or nothing is to be done.
    return { version, flow: held.action === 'KEEP' && version !== null ? 'done' : 'waiting', note: { kind: 'held', why: held.why } };
  }
  if (provider !== null && offered !== null && offered !== version && offered !== service.latestDeveloper) {
    const byItself = provider.autoUpdate !== 'OFF';
    const flow = byItself && provider.connected ? 'moving' : 'waiting';
    return { version, flow, note: { kind: 'offered', version: offered, by: provider.name, byItself } };
  }
  if (version === null) return { version, flow: 'waiting', note: { kind: 'absent' } };
  return settledOrNext(version, service.latestDeveloper);
}

function clientStage(service: Service, developer: Stage, wanted: boolean, tasks: readonly Task[]): Stage {
  const version = service.clientDesired ?? service.latestClient;
  const concerns = (task: Task) => task.kind === 'CLIENT_BUILD' && task.service === service.name;
  const byTask = taskStage(version, service.task, tasks, concerns);
  if (byTask !== null) return byTask;
  if (version === null) {
    if (developer.version === null) return { version, flow: 'idle', note: NO_NOTE };
    return wanted
      ? { version, flow: 'waiting', note: { kind: 'absent' } }
      : { version, flow: 'idle', note: { kind: 'unused' } };
  }
  if (developer.version !== null && baseOf(version) !== developer.version) {
    return { version, flow: 'waiting', note: { kind: 'next', version: developer.version } };
  }
  return settledOrNext(version, service.latestClient);
}

/** A version that stands, or one of which a newer one lies here that is not desired. */
function settledOrNext(version: string, latest: string | null): Stage {
  if (latest === null || latest === version) return { version, flow: 'done', note: { kind: 'settled' } };
  return { version, flow: 'waiting', note: { kind: 'next', version: latest } };
}

/** The stage as its task makes it: one in flight, or the newest one having failed; `null` otherwise. */
function taskStage(
  version: string | null,
  current: Service['task'],
  tasks: readonly Task[],
  concerns: (task: Task) => boolean,
): Stage | null {
  const running = current !== null && concerns(current) ? current : tasks.find((task) => concerns(task) && inFlight(task));
  if (running !== undefined) return { version, flow: 'moving', note: { kind: 'task', task: running } };
  const newest = newestOf(tasks.filter(concerns));
  if (newest === null || !(newest.state === 'FAILED' || newest.state === 'INTERRUPTED')) return null;
  return { version, flow: 'stopped', note: { kind: 'failed', task: newest } };
}

export function inFlight(task: Task): boolean {
  return task.state === 'QUEUED' || task.state === 'RUNNING';
}

function newestOf(tasks: readonly Task[]): Task | null {
  return tasks.reduce<Task | null>((newest, task) => (newest === null || task.created > newest.created ? task : newest), null);
}

function placesOf(service: Service, instances: readonly Instance[]): Place[] {
  const reported = service.running.map((state) =>
    placeOf(state, service, instances.find(({ name }) => name === state.instance) ?? null));
  const known = new Set(service.running.map(({ instance }) => instance));
  const awaited = service.clientDesired === null ? [] : instances.filter((instance) =>
    !known.has(instance.name) && !instance.revoked && isAssigned(instance, service.name));
  return [...reported, ...awaited.map((instance) => awaitedPlace(instance, service.clientDesired))];
}

function isAssigned(instance: Instance, service: string): boolean {
  return instance.due.some((key) => nameOf(key) === service);
}

function awaitedPlace(instance: Instance, target: string | null): Place {
  return {
    instance: instance.name, role: null, flow: 'waiting', phase: null, version: null, target, failed: null,
    putBack: false, error: '', online: instance.connected, seen: instance.seen, state: null,
  };
}

function placeOf(state: ServicePlace, service: Service, instance: Instance | null): Place {
  const desired = state.desired ?? service.clientDesired;
  // A failure of a version that is no longer wanted is history, told by the fault reports.
  const failed = state.failed !== null && state.failed === desired ? state.failed : null;
  const version = state.running;
  const online = instance?.connected ?? true;
  return {
    instance: state.instance,
    role: state.service.split(':')[1] ?? null,
    flow: placeFlow(state, desired, failed, online),
    phase: state.phase,
    version,
    target: desired !== null && desired !== version && desired !== failed ? desired : null,
    failed,
    putBack: failed !== null && version !== null && version !== failed && state.phase === 'RUNNING',
    error: withoutSubject(state.error, failed),
    online,
    seen: instance?.seen ?? null,
    state,
  };
}

/** A reason that begins with the version which is named beside it anyway, without that. */
function withoutSubject(error: string, version: string | null): string {
  return version !== null && error.startsWith(`${version} `) ? error.slice(version.length + 1) : error;
}

function placeFlow(state: ServicePlace, desired: string | null, failed: string | null, online: boolean): Flow {
  if (failed !== null || state.phase === 'FAILED' || state.phase === 'PUTTING_BACK') return 'stopped';
  if (!online) return 'waiting';
  if (CHANGING.has(state.phase)) return 'moving';
  if (state.phase === 'STOPPED') return desired === null ? 'idle' : 'waiting';
  return desired === null || desired === state.running ? 'done' : 'moving';
}

function passedOnOf(service: Service, links: LinksQuery | null): PassedOn[] {
  if (links === null) return [];
  const profiles = new Set(links.profiles.filter(({ services }) => services.includes(service.name)).map(({ name }) => name));
  return links.consumers
    .filter(({ profile }) => profiles.has(profile))
    .map(({ name, profile, connected }) => ({ consumer: name, profile, connected }));
}
