// The English sentences on alarms, links and the nodes nearby: all that concerns other nodes.
import type { AutoUpdate, NearbyRelation, Right } from '../api/generated';
import type { Standing } from '../links/standing';
import type { Step, Way } from '../nearby/pairing';
import { count, names } from './words';

const autoUpdates: Record<AutoUpdate, string> = {
  OFF: 'by hand',
  DOWNLOAD: 'downloads by itself',
  INSTALL: 'installs by itself',
};

const rights: Record<Right, string> = {
  TAKE: 'take versions',
  STATES: 'send states',
  FAULTS: 'send fault reports',
  BUILDS: 'have builds run',
  TASK_LOGS: 'read logs of its tasks',
};

const standings: Record<Standing, string> = {
  connected: 'connected',
  disconnected: 'not connected',
  ended: 'ended',
  refused: 'refused',
  error: 'error',
};

const kinds: Record<string, string> = {
  'catalog-refused': 'Catalogue refused',
  'catalog-keys': 'Catalogue keys',
  'catalog-unpublished': 'Catalogue not published',
  'consumer-left': 'Consumer left',
  'link-ended': 'Link ended',
  'lying-provider': 'False bytes',
  'origin-key-changed': 'Key changed',
  'withdrawn-running': 'Withdrawn version in use',
};

const relations: Record<NearbyRelation, string> = {
  STRANGER: 'not linked',
  PROVIDER: 'linked: a provider',
  CONSUMER: 'linked: a consumer',
  BOTH: 'linked both ways',
};

const steps: Record<Exclude<Step, 'there'>, string> = {
  opening: 'opening',
  compare: 'compare the codes',
  making: 'making the link',
  linked: 'linked',
  rejected: 'rejected',
  failed: 'failed',
  expired: 'ran out',
};

export const alarms = {
  title: (number: number) => count(number, 'alarm', 'alarms'),
  kind: (kind: string) => kinds[kind] ?? kind,
  since: 'since',
  times: (times: number) => `met ${count(times, 'time', 'times')}`,
  last: 'last',
  dismiss: (message: string) => `Dismiss the alarm: ${message}`,
  dismissHelp: 'Dismiss: hidden until it sounds with another message. Its cause stays as it is.',
  more: 'There may be more:',
};

export const links = {
  title: 'Links',
  help: 'Whom this node takes versions from, whom it gives them to, and the machines it looks after.',
  providers: 'Providers',
  consumers: 'Consumers',
  instances: 'Instances',
  connected: standings.connected,
  disconnected: standings.disconnected,
  standings,
  revoked: 'revoked',
  profile: 'profile',
  update: 'updates',
  autoUpdates,
  window: 'only within',
  testedBy: 'only if tested by',
  checked: 'checked',
  neverChecked: 'not checked yet',
  seen: 'seen',
  neverSeen: 'never seen',
  linked: 'linked',
  enrolled: 'enrolled',
  runs: 'runs',
  allServices: 'all that is desired',
  noServices: 'nothing',
  nodeId: 'node id',
  noProviders: 'This node takes nothing from others. With an invitation, link it by:',
  noConsumers: 'Nobody takes versions from this node. Invite a node to a profile by:',
  noInstances: 'No machine is attached. Make an enrolment for one by:',
  rights,
  lets: 'lets this node',
  letsNothing: 'do nothing any more',
  ended: 'The link has ended. What came over it stays; nothing new comes.',
  offeredUrl: (url: string) => `It says to be reached at ${url}, but was not found there.`,
  penalty: (reason: string) => `It sent what was not asked for: ${reason}`,
  offers: 'Offers',
  offersNothing: 'It offers nothing.',
  settled: (services: number) => `${count(services, 'service is', 'services are')} as it wants`,
  check: 'Check',
  checkOf: (provider: string) => `Check what ${provider} offers`,
  takes: 'Update',
  takesOf: (provider: string) => `Update from ${provider}: take what it offers now`,
  checkedNow: 'Checked.',
  may: (consumer: string) => `${consumer} may`,
  mayNothing: 'may do nothing',
  tester: 'its tested marks are shown to the others',
  testerName: 'tester',
  reported: 'Reported as installed',
  reportedNothing: 'Nothing is installed there.',
  reportedNever: 'It has reported nothing yet.',
  onInstances: (number: number) => `on ${count(number, 'instance', 'instances')}`,
  saved: (moved: string, full: string, transfers: number) =>
    `Moved ${moved} where ${full} would have been needed, in ${count(transfers, 'transfer', 'transfers')} from providers.`,
  upward: 'To be sent up',
  upwardWaiting: (waiting: number) => count(waiting, 'message waits', 'messages wait'),
  upwardOldest: 'the oldest from',
  upwardAgain: 'tried again',
  upwardRefused: (refused: number) => `${count(refused, 'message was', 'messages were')} refused`,
};

export const nearby = {
  title: 'Nearby',
  help: 'Nodes that announce themselves on the local network. Seeing one is no reason to trust it.',
  off: 'Discovery is off: this node does not announce itself and does not listen. Set discovery = "on" in its config.toml and start it again.',
  nobody: 'No other node is heard on the local network.',
  relations,
  heard: 'heard',
  at: 'at',
  nodeId: 'node id',
  pair: 'Pair',
  pairWith: (node: string) => `Pair with ${node}`,
  pairByAddress: 'Pair by address',
  pairings: 'Pairings',
  compare: 'Compare the code',
  compareWith: (node: string) => `Compare the code with ${node}`,
  show: 'Show',
  showOf: (node: string) => `Show the pairing with ${node}`,
  steps,
  waitsThere: (node: string) => `waiting for ${node}’s operator`,
  gives: (node: string, profile: string | null) => (profile === null ? `${node} wants to take versions from this node` : `${node} takes ${profile} from this node`),
  takes: (node: string, profile: string | null) => (profile === null ? `this node takes versions from ${node}` : `this node takes ${profile} from ${node}`),
  asked: (node: string) => `${node} wants to pair with this node.`,
  askedMore: 'Compare the code with its operator, by voice or eye, before you confirm',

  dialogue: {
    chooseTitle: (node: string) => `Pair with ${node}`,
    chooseAddress: 'Pair by address',
    address: 'Address of the other node',
    addressHint: 'As its operator sees it, e.g. https://acme.example:7420',
    what: 'What is this link for?',
    way: (way: Way, node: string | null) =>
      way === 'TAKE' ? `Take versions from ${node ?? 'that node'}` : `Give versions to ${node ?? 'that node'}`,
    wayMore: { TAKE: 'Its operator chooses the profile when he confirms.', GIVE: 'It sees the services of one profile, and nothing else.' },
    profile: 'Profile to give',
    chooseProfile: 'Choose a profile',
    profileOf: (name: string, services: readonly string[]) => `${name}: ${services.length === 0 ? 'no services' : names(services)}`,
    noProfile: 'There is no profile to give yet. Make one by:',
    begin: 'Show the code',
    beginHelp: 'Nothing is linked by this: both nodes will show a code first.',
    cancel: 'Cancel',
    compareTitle: (node: string) => `Pairing with ${node}`,
    codeLabel: 'Code of this pairing',
    instruction: (node: string) => `Ask the operator of ${node} which code is shown there. Compare it by voice or eye: on the phone, or side by side. Don’t send it by chat or mail through a network that you don’t trust.`,
    warning: 'Confirm only if you have compared all six digits. If they differ, somebody may stand between the two nodes.',
    effect: {
      take: (node: string, profile: string | null) => `Once both have confirmed, this node takes ${profile ?? 'versions'} from ${node}.`,
      give: (node: string, profile: string | null) => `Once both have confirmed, ${node} may take ${profile ?? 'the profile that you choose here'} from this node.`,
    },
    autoUpdate: 'When something new is offered',
    autoUpdateOf: { INSTALL: 'Install by itself', DOWNLOAD: 'Download by itself', OFF: 'Do nothing by itself' } satisfies Record<AutoUpdate, string>,
    confirm: 'Same code: confirm',
    reject: 'Different: reject',
    abandon: 'Give up the pairing',
    waiting: (node: string) => `Confirmed here. Waiting for ${node}’s operator to confirm the same code.`,
    there: (node: string) => `${node}’s operator has confirmed.`,
    linking: 'Both have confirmed. The link is being made…',
    linked: (node: string, gives: boolean) => (gives ? `${node} is now a consumer of this node.` : `${node} is now a provider of this node.`),
    ended: { REJECTED: 'The pairing was rejected. No link was made.', FAILED: 'The pairing failed. No link was made.', EXPIRED: 'The pairing ran out of time. No link was made.' },
    runsOut: 'runs out',
    byIt: 'The other node calls itself so; its id and address:',
    close: 'Close',
  },
};
