// The English sentences on versions, on who built them, on builds at peers, and on private files.
import type { ImageChange, ImageEntryKind, ListKind, SettingsWatch } from '../api/generated';
import { count, names } from './words';

const changes: Record<ImageChange, string> = {
  ADDED: 'added', REMOVED: 'removed', CONTENT: 'other content', MODE: 'other mode', KIND: 'another kind',
};

const entryKinds: Record<ImageEntryKind, string> = {
  FILE: 'file', EXECUTABLE: 'executable file', LINK: 'link', DIRECTORY: 'folder',
};

const walls: Record<string, string> = { sandbox: 'in a sandbox', process: 'as a process without a sandbox' };

const kinds: Record<ListKind, string> = { DEVELOPER: 'developer version', CLIENT: 'client version' };

export const versions = {
  one: (service: string, version: string) => `${service} ${version}`,
  open: (version: string) => `Show ${version}: what it is and who built it`,
  loading: 'Reading the version…',
  absent: (version: string, most: number) =>
    `${version} is not here whole, or not among the newest ${most} versions of its service.`,
  kind: 'Kind', kinds,
  maker: 'Signed by', from: 'Received from', madeHere: 'made here',
  created: 'Made', stored: 'Here since', size: 'Size',
  sizeOf: (size: string, entries: number) => `${size} in ${count(entries, 'entry', 'entries')}`,
  comment: 'What is new', sources: 'Made from', base: 'Developer version', none: 'nothing from Git',
  private: 'Holds private files: shared with nobody',
  privateMore: 'It runs at the instances of this node only. No consumer is given it or anything of it.',
  withdrawn: (by: string, reason: string) => `Withdrawn by ${by}${reason === '' ? '' : `: ${reason}`}`,

  built: 'Who built it',
  builtHelp: 'What each builder signed, the earliest first.',
  builtBase: (version: string) => `Who built ${version}, which it is made from`,
  builtNone: 'No builder has said how it built this version: it was made before builders signed, or its provider knows of none.',
  agreement: { same: 'Same image', other: 'ANOTHER IMAGE', unknown: 'Not compared: the version is not here' },
  walls: (how: string, network: boolean) => `${walls[how] ?? how}, ${network ? 'with network' : 'without network'}`,
  how: 'How', when: 'When', commits: 'Commits', program: 'By vUpdate',
  rule: 'For the rule', counts: 'counts', countsNot: 'does not count',
  lasted: (span: string) => `took ${span}`,
  differences: (number: number) => `${count(number, 'difference', 'differences')} from this version`,
  moreDifferences: (number: number) => `and ${number} more`,
  notNamed: 'Nobody has compared the two images file by file.',

  again: 'Build again',
  againHelp: 'Builds this version once more from its commits, to see whether the same image comes out. Nothing is replaced.',
  againStart: 'Start the build',
  againWhere: 'Where to build it again',
  mayNot: 'Builds are started by developers and administrators.',
  cancel: 'Cancel',

  compare: 'Compare with…',
  compareHelp: (other: string, version: string) => `What changes from ${other} to ${version}`,
  compareWhich: 'Another version of the service',
  compareChoose: 'Choose a version',
  compareNone: 'No other version of this service is here.',
  compareSame: 'Both are one and the same image.',
  compareCounts: (added: number, removed: number, changed: number) => `${added} added, ${removed} removed, ${changed} changed`,
  compareSizes: (before: string, after: string) => `${before} before, ${after} after`,
  compareCut: (shown: number, all: number) => `The first ${shown} of ${all} paths are shown. All of them:`,
  comparing: 'Comparing…',
  changes: (list: readonly ImageChange[]) => names(list.map((one) => changes[one])),
  entryKinds,
  became: (before: string, after: string) => `${before} → ${after}`,
  link: (target: string) => `link to ${target}`,
} as const;

export const builds = {
  of: (service: string) => `Builds and files of ${service}`,
  open: 'Builds and files',
  openOf: (service: string) => `Builds, builders and private files of ${service}`,
  gone: 'There is no such service on this node.',
  loading: 'Reading…',

  build: 'Build',
  buildHelp: 'Makes the next developer version from the sources, signs it, and makes it desired.',
  notHere: (provider: string | null) =>
    provider === null ? 'This node does not build this service.' : `This node does not build this service: its versions come from ${provider}.`,
  start: 'Start the build',
  mayNot: 'Builds are started by developers and administrators.',
  comment: 'What is new in it',
  commentHint: 'Signed with the version. May be left empty.',
  version: 'Version',
  versionHint: 'Left empty: the next one.',

  where: 'Where to build',
  here: 'Here, at this node',
  anywhere: 'At any provider that takes it',
  at: (peer: string) => `At ${peer}`,
  atConsumer: (peer: string) => `At ${peer}, a consumer that calls in for work`,
  asking: 'Asking the peers…',
  askAgain: 'Ask the peers again',
  noPeers: 'Nobody else builds for this node: it has no provider, and no consumer calls in for work.',
  peersFailed: (error: string) => `The peers could not be asked: ${error}`,
  takes: 'takes a build now',
  takesNone: (why: string) => `takes none now: ${why}`,
  running: (running: number, most: number) => `${running} of ${most} builds for peers at work`,
  load: (load: number, cpus: number) => `load ${load.toFixed(1)} on ${count(cpus, 'processor', 'processors')}`,
  free: (memory: string, disk: string) => `${memory} memory and ${disk} disk free`,
  waits: 'A build for a busy peer waits, and its task says for what.',

  policy: 'Builders that must agree',
  policyHelp: 'Holds a version back until so many of these nodes have built the very same image.',
  policyNone: 'No rule is set: a version becomes desired whoever built it.',
  policyIs: (require: number, of: number) => `${require} of these ${of} must have built the same image:`,
  policyTold: (agreeing: number, require: number) =>
    agreeing >= require ? `The rule is met: ${agreeing} of ${require} needed builders built this image.` : `The rule is not met: ${agreeing} of ${require} needed builders built this image.`,
  policyMayNot: 'The rule is set and removed by administrators.',
  policySet: 'Set a rule', policyChange: 'Change the rule', policyRemove: 'Remove the rule',
  policyRemoveSure: 'Without the rule, any builder is enough.',
  policyRemoveYes: 'Remove it', keep: 'Keep it',
  policySave: 'Set the rule',
  policyWho: 'Builders that count',
  policyOther: 'Id of another node',
  policyOtherHint: 'The whole id, as that node’s operator sees it.',
  policyRequire: 'So many must agree',
  policyWarn: 'What is desired already stays. New versions wait until the rule is met.',
  thisNode: (name: string) => `${name}, this node`,
  unknownNode: 'a node that is not linked',
} as const;

export const sources = {
  title: 'Sources',
  tag: 'Tag the sources of each version',
  tagHint: (service: string) => `Sets ${service}-VERSION at the very commit where they came from. The node needs a credential that may write there; where it fails, the build’s log says so.`,
  tagged: 'The sources of each version are tagged where they came from.',
  notTagged: 'The sources of versions are not tagged.',
  mayNot: 'Whether they are tagged is said by developers and administrators.',
} as const;

export const batches = {
  open: 'Make client versions',
  title: 'Make client versions of several services',
  help: 'Adapts the desired developer versions to this site again: a task for each service, side by side. What succeeds becomes desired; what fails changes nothing.',
  which: 'Of which services',
  all: 'Of all that run at this site',
  some: 'Of these',
  start: 'Start', cancel: 'Cancel', hide: 'Hide', again: 'Make others',
  outcomes: 'Client versions under way',
  outcomesEnded: 'Client versions made',
  nothing: 'No service with a desired developer version runs at this site: there was nothing to do.',
  told: ({ all, done, failed, open }: { readonly all: number; readonly done: number; readonly failed: number; readonly open: number }) =>
    [`${done} of ${all} done`, failed === 0 ? '' : `${failed} failed`, open === 0 ? '' : `${open} not ended yet`].filter((part) => part !== '').join(', '),
  notBegun: 'Not begun',
  seeTask: (service: string) => `${service}: see its log`,
} as const;

export const settings = {
  title: 'Settings of this site',
  watched: 'Watched: another commit to them makes a client version by itself.',
  notWatched: 'Not watched: another commit to them waits for the next client version.',
  choice: 'Watch the repositories',
  choices: {
    AUTO: 'Where the service comes by a link that installs by itself', ON: 'Yes', OFF: 'No',
  } satisfies Record<SettingsWatch, string>,
  mayNot: 'Whether they are watched is said by developers and administrators.',
  at: (commit: string) => `at ${commit.slice(0, 12)}, seen`,
  notYet: 'not looked at yet',
  fixed: 'names a commit, which does not change',
  failed: (times: number, error: string) => `${count(times, 'look', 'looks')} failed: ${error}`,
} as const;

export const privateFiles = {
  title: 'Private files',
  help: 'Secrets that this node keeps for the service, encrypted. What is in them is never shown.',
  none: 'The node keeps no private file for this service.',
  mayNot: 'Private files are put and removed by administrators.',
  into: (path: string) => `goes to ${path} in each client version`,
  byRecipe: 'goes where a recipe names it',
  put: (size: string, by: string) => `${size}, put by ${by}`,
  replace: 'Replace', replaceOf: (name: string) => `Replace ${name}`,
  remove: 'Remove', removeOf: (name: string) => `Remove ${name}`,
  removeSure: (name: string) => `Remove ${name}? It can’t be read back. Versions that were made with it have it still.`,
  removeYes: 'Remove it', keep: 'Keep it',
  removed: (name: string) => `${name} is removed.`,
  kept: (name: string) => `${name} is kept.`,
  add: 'Add a private file',
  file: 'File',
  fileHint: (most: string) => `Read in this browser and sent to the node; at most ${most}.`,
  name: 'Name', nameHint: 'As a recipe names it, e.g. tls.key',
  place: 'Place in each client version',
  placeHint: 'A path such as conf/tls.key. Left empty: only a recipe places it.',
  placeKept: (into: string | null) => (into === null ? 'It goes where a recipe names it, as before.' : `It goes to ${into}, as before.`),
  takesPlace: (name: string) => `There is a file ${name} already: this one takes its place.`,
  save: 'Keep this file', saveReplace: 'Replace the file', cancel: 'Cancel',
  empty: 'The file is empty: a private file has at least one byte.',
  large: (size: string, most: string) => `The file has ${size}: a private file has at most ${most}.`,
  unreadable: 'The browser could not read this file. Choose it again.',
} as const;
