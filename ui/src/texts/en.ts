// Every sentence of the page, in English. Another language is another module of the type `Texts`.
import type { Phase, Role, TaskKind, TaskState } from '../api/generated';
import type { LaneEvent } from '../lane/events';
import type { Stop } from '../lane/verdict';
import { batches, builds, privateFiles, settings, sources, versions } from './en-builds';
import { alarms, links, nearby } from './en-links';
import { credentials, entrusted } from './en-secrets';
import { count, names } from './words';

const phases: Record<Phase, string> = {
  DOWNLOADING: 'Downloading',
  INSTALLING: 'Installing',
  STARTING: 'Starting',
  PROBATION: 'Probation',
  RUNNING: 'Running',
  PUTTING_BACK: 'Putting back',
  STOPPED: 'Stopped',
  FAILED: 'Failed',
};

const roles: Record<Role, string> = { VIEWER: 'viewer', DEVELOPER: 'developer', ADMINISTRATOR: 'administrator' };

const taskKinds: Record<TaskKind, string> = {
  BUILD: 'Build',
  CLIENT_BUILD: 'Client build',
  PROVIDER_UPDATE: 'Update',
  PEER_BUILD: 'Build for a peer',
  REBUILD: 'Rebuild',
};

const taskStates: Record<TaskState, string> = {
  QUEUED: 'Queued',
  RUNNING: 'Running',
  SUCCEEDED: 'Done',
  FAILED: 'Failed',
  CANCELLED: 'Cancelled',
  INTERRUPTED: 'Interrupted',
};

const reasons: Record<string, string> = {
  exited: 'ended unexpectedly',
  signalled: 'killed by a signal',
  unhealthy: 'did not become healthy',
  'start-failed': 'could not be started',
  'over-limit': 'went over its limits',
};

export const en = {
  language: 'en',
  product: 'vUpdate',
  copy: 'Copy',
  copied: 'Copied',
  close: 'Close',
  and: names,
  moved: (moved: string, full: string, share: string | null) =>
    share === null ? `${moved} of ${full}` : `${moved} of ${full}, ${share}`,
  movedTitle: (base: string | null) =>
    base === null ? 'Bytes moved: the whole image, as no earlier version was here' : `Bytes moved: only what differs from ${base}`,

  session: {
    checking: 'Looking for your session…',
    away: 'The node does not answer',
    awayMore: 'This page tries again by itself. If it stays so, look whether the node runs:',
    title: 'Log in to this node',
    never: 'This page is for people who have a log-in link of this node.',
    refused: 'This log-in link has been used before, or has expired.',
    ended: 'Your session has ended.',
    left: 'You have logged out.',
    how: 'On the machine of the node, run:',
    then: 'It prints a new link. Open it in this browser: it works once, and for a short time.',
    logOut: 'Log out',
    as: (name: string, role: Role) => (name === roles[role] ? name : `${name}, ${roles[role]}`),
  },

  header: {
    id: 'Node id',
    copyId: 'Copy the full node id',
    idHelp: 'The fingerprint of this node’s key. Compare it by eye before you trust a link.',
    toDark: 'Dark colours',
    toLight: 'Light colours',
    sections: 'Sections of this page',
    skip: 'Skip to the services',
    connection: { starting: 'Connecting', live: 'Live', lost: 'Disconnected' },
  },

  lost: 'Connection lost. What you see may be old; trying again…',

  verdict: {
    empty: 'No services yet',
    done: (services: number, places: number) =>
      places === 0
        ? `${count(services, 'service', 'services')} in order`
        : `All in order: ${count(services, 'service runs', 'services run')} as desired on ${count(places, 'instance', 'instances')}`,
    moving: (names: string) => `On the way: ${names}`,
    waiting: (names: string) => `Waiting: ${names}`,
    stopped: (stops: number) => `An update stops at ${count(stops, 'place', 'places')}`,
    withdrawn: (versions: number) => `${count(versions, 'withdrawn version is', 'withdrawn versions are')} in use`,
    stop: (stop: Stop) => {
      switch (stop.at) {
        case 'provider': return `${stop.service}: its provider can’t be used. ${stop.error}`;
        case 'developer': return `${stop.service}: no new developer version. ${stop.error}`;
        case 'withdrawn': return `${stop.service}: ${stop.version} was withdrawn by ${stop.by}${stop.reason === '' ? '' : `: ${stop.reason}`}`;
        case 'client': return `${stop.service}: no new client version. ${stop.error}`;
        case 'elsewhere': return `${stop.service}: ${stop.version} crashed on probation on ${names(stop.instances)}`;
        case 'instance': return `${stop.service} on ${stop.instance}: ${stop.version} failed${stop.error === '' ? '' : `: ${stop.error}`}`;
      }
    },
  },

  lanes: {
    title: 'Services on their way',
    help: 'From the version that developers made, through its adaptation to this site, to what really runs.',
    origin: { built: 'Built here', provider: 'From provider', unknown: 'Comes from' },
    originUnknown: 'no longer known',
    repository: (path: string, ref: string) => (ref === '' ? path : `${path} · ${ref}`),
    originOffline: 'not connected',
    developer: 'Developer version',
    client: 'Client version',
    running: 'Running on',
    passedOn: 'Passed on to',
    crashedOn: (version: string, instances: readonly string[]) => `${version} crashed on probation on ${names(instances)}`,
    none: 'none yet',
    flow: { stopped: 'Stopped', moving: 'On its way', waiting: 'Waiting', done: 'In order', idle: 'Not used here' },
    withdrawn: 'Withdrawn',
    withdrawnBy: (version: string, by: string, reason: string) => `${version} was withdrawn by ${by}${reason === '' ? '' : `: ${reason}`}`,
    settled: { developer: (node: string) => (node === '' ? '' : `made and signed by ${node}`), client: 'adapted to this site' },
    next: { developer: (version: string) => `${version} is here, not desired`, client: (version: string) => `${version} is not in use yet` },
    offered: (by: string, version: string, byItself: boolean) =>
      byItself ? `${by} offers ${version}` : `${by} offers ${version}; take it by:`,
    absent: { developer: 'Not built yet. Build it by:', client: 'Not adapted to this site yet. Adapt it by:' },
    absentFrom: (provider: string) => `Nothing received from ${provider} yet. Take it by:`,
    unused: 'not adapted here',
    nobody: 'No instance here runs it.',
    nobodyMore: 'Attach one by:',
    notReported: 'Not reported yet',
    toCome: 'next',
    failed: (version: string) => `${version} failed`,
    putBack: (version: string) => `${version} was put back and runs.`,
    offline: 'agent not connected',
    halted: 'stopped by an operator on the host: vupdate agent start',
    held: 'held by an operator on the host: no update begins before vupdate agent release',
    failures: (times: number) => `${count(times, 'failure', 'failures')} in a row`,
    faults: (number: number) => count(number, 'fault report', 'fault reports'),
    task: (kind: TaskKind, state: TaskState) => `${taskKinds[kind]} ${state === 'QUEUED' ? 'queued' : 'in flight'}`,
    openTask: (title: string) => `Show the log of: ${title}`,
    seeLog: 'See its log',
    empty: 'Nothing is on its way through this node yet.',
    emptyBuild: 'Build a service of your own from Git:',
    emptyLink: 'or take services from a provider that invited you:',
    phases,
    event: (event: LaneEvent): string => {
      switch (event.kind) {
        case 'developer': return `${event.service}: developer version ${event.version}`;
        case 'client': return `${event.service}: client version ${event.version}`;
        case 'stage-failed': return `${event.service}: failed. ${event.error}`;
        case 'phase': return `${event.service} on ${event.instance}: ${phases[event.phase]}, ${event.version}`;
        case 'failed': return `${event.service} on ${event.instance}: ${event.version} failed`;
      }
    },
  },

  runs: {
    of: (service: string, instance: string) => `Runs of ${service} on ${instance}`,
    open: (service: string, instance: string) => `Show the runs of ${service} on ${instance}`,
    loading: 'Loading',
    none: 'Its agent has told of no run yet.',
    alive: 'runs',
    unseen: 'its end was not seen',
    neverBegan: (error: string) => `never began: ${error}`,
    status: (status: number) => `exit status ${status}`,
    signal: (signal: string) => `killed by SIG${signal}`,
    stopped: (how: string) => `stopped, ${how}`,
    log: 'What it wrote',
    lost: (lines: number) => `${count(lines, 'line', 'lines')} came faster than they could be kept.`,
    noLog: 'Nothing of its log is kept here.',
    cut: (lines: number) => `The last ${lines} records; vupdate logs --run finds the others.`,
  },
  faults: {
    title: 'Fault reports',
    help: 'Crashes of the services that this node knows, here and further down, with the way each report took.',
    reason: (reason: string) => reasons[reason] ?? reason,
    status: (status: number) => `exit status ${status}`,
    path: 'Path',
    pathLabel: (nodes: string) => `Path of the report: ${nodes}`,
    here: 'this node',
    forwarding: (node: string) => `on its way to ${node}`,
    inProbation: 'in probation',
    putBack: (version: string) => `${version} put back`,
    empty: 'No crash has been reported. That is good.',
    emptyMore: 'Reports come by themselves from the agents, and from consumers. List them by:',
    shown: (number: number) => `The newest ${number} are shown. All of them:`,
    facts: 'Facts',
    damaged: 'Not as signed on that disk',
    files: 'Put aside on that host',
    left: 'Too much to put aside',
    download: 'Download the files',
    downloadHelp: 'A gzipped tar file. It may hold what was in the service’s memory, secrets too; each download is put on record.',
    downloadMayNot: 'The files are given to administrators only.',
    downloadElsewhere: (node: string) => `The files stayed at ${node}: they go to no other node.`,
    service: 'Service', version: 'Version', instance: 'Instance', occurred: 'Occurred', received: 'Received here',
    uptime: 'Ran for', back: 'Put back', phase: 'When', id: 'Report',
    log: (lines: number) => `Last ${count(lines, 'log line', 'log lines')}`,
    trace: 'Stack trace',
    alike: 'Like it', alikeCount: (number: number) => `${count(number, 'more crash', 'more crashes')} since the last report, only counted`,
    memory: 'Memory', disk: 'Disk', free: (free: string, whole: string) => `${free} free of ${whole}`,
    outOfMemory: 'Out of memory', killed: (number: number) => `the kernel killed ${count(number, 'process', 'processes')} of the host while it ran`,
    earlier: 'Before it',
    noLog: 'The report has no log lines.',
    running: 'while running',
    loading: 'Reading the report…',
    gone: 'There is no such fault report on this node. It may have been removed.',
    one: (service: string | null) => (service === null ? 'Fault report' : `Fault report of ${service}`),
    nothingBack: 'nothing',
  },

  alarms,
  links,
  nearby,
  batches,
  builds, settings, sources,
  credentials, entrusted,
  versions,
  privateFiles,

  tasks: {
    title: 'Recent tasks',
    help: 'Builds, client builds and updates, newest first.',
    kinds: taskKinds,
    states: taskStates,
    by: (who: string) => `by ${who}`,
    took: 'took',
    empty: 'No task has run yet. The first build is started by:',
    log: 'Log',
    following: 'following live',
    logEmpty: 'No log lines yet.',
    logNone: 'This task wrote no log.',
    logError: (message: string) => `The log could not be read: ${message}`,
    earlier: (lines: number) => `Only the last ${lines} lines are shown.`,
    gone: 'This task is not among the recent ones. Its log, if it is still kept:',
    waits: 'Not at work', version: 'Version',
    waitsFor: (why: string) => `Not at work: ${why}`,
    state: 'State', created: 'Asked for', took1: 'Took', error: 'Error', result: 'Result', who: 'By',
  },

  commands: {
    login: 'vupdate login',
    serve: 'vupdate serve',
    addService: 'vupdate service add NAME GIT-URL',
    build: (service: string) => `vupdate build ${service}`,
    clientBuild: (service: string) => `vupdate client-build ${service}`,
    acceptInvitation: 'vupdate provider add --file INVITATION',
    invite: 'vupdate invite PROFILE',
    enrol: 'vupdate agent enrolment INSTANCE',
    update: (provider: string) => `vupdate provider update ${provider}`,
    faults: 'vupdate faults list',
    alarms: 'vupdate alarms',
    setProfile: 'vupdate profile set NAME SERVICE',
    compare: (service: string, version: string, other: string) => `vupdate versions compare ${service} ${version} ${other}`,
    taskLog: (id: string) => `vupdate tasks log ${id}`,
  },
} as const;

export type Texts = typeof en;
