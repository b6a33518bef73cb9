// The English sentences on what opens Git servers, and on who is handed the secrets of a service.
import type { CredentialKind } from '../api/generated';

const kinds: Record<CredentialKind, string> = { PASSWORD: 'token or password', KEY: 'SSH key' };

export const credentials = {
  title: 'Git servers',
  help: 'What opens the repositories that this node builds from. The secret in it is never shown.',
  none: 'This node keeps no credential: it builds from what anybody may read, or what its own user can open.',
  loading: 'Reading the credentials…',
  kind: (kind: CredentialKind, user: string) => (user === '' ? kinds[kind] : `${kinds[kind]} of ${user}`),
  hosts: (given: boolean) => (given ? 'host known by the keys given with it' : 'host known to the node’s own user, or not at all'),
  put: (by: string) => `put by ${by}`,
  fingerprint: 'Fingerprint',
  add: 'Add a credential',
  replace: 'Replace', replaceOf: (prefix: string) => `Replace the credential for ${prefix}`,
  remove: 'Remove', removeOf: (prefix: string) => `Remove the credential for ${prefix}`,
  removeSure: (prefix: string) => `Remove the credential for ${prefix}? It can’t be read back. Builds from there fail if nothing else opens it.`,
  removeYes: 'Remove it', keep: 'Keep it',
  removed: (prefix: string) => `The credential for ${prefix} is removed.`,
  kept: (prefix: string) => `The credential for ${prefix} is kept.`,

  way: 'How the server is opened',
  ways: { PASSWORD: 'HTTPS, with a user and a token or password', KEY: 'SSH, with a private key' } satisfies Record<CredentialKind, string>,
  prefix: 'Addresses that it is for',
  prefixHints: {
    PASSWORD: 'How they begin, by whole segments, e.g. https://git.example/team/',
    KEY: 'How they begin, by whole segments, e.g. ssh://git@git.example/team/',
  } satisfies Record<CredentialKind, string>,
  prefixWrong: {
    PASSWORD: 'Addresses of HTTPS begin with https://host/, without a user in them.',
    KEY: 'Addresses of SSH begin with ssh://user@host/.',
  } satisfies Record<CredentialKind, string>,
  user: 'User', userHint: 'As the server asks for it, without a colon',
  token: 'Token or password', tokenHint: 'Sent to the node and emptied here at once, whatever it answers',
  key: 'Private key', keyHint: 'As ssh-keygen writes it, without a passphrase. Emptied here once it is sent.',
  keyText: 'Text of the private key', keyPaste: 'or paste it here',
  knownHosts: 'Keys of the host', knownHostsHint: 'As ssh-keyscan writes them. Left empty: the node’s own user must know the host.',
  knownHostsText: 'Text of the host’s keys', knownHostsPaste: 'or paste them here',
  takesPlace: (prefix: string) => `There is a credential for ${prefix} already: this one takes its place.`,
  again: 'Give the secret once more: it was emptied when it was sent.',
  save: 'Keep this credential', saveReplace: 'Replace the credential', cancel: 'Cancel',
  empty: 'The file is empty.',
  large: (size: string, most: string) => `That has ${size}: at most ${most} are kept.`,
  unreadable: 'The browser could not read this file. Choose it again.',
} as const;

export const entrusted = {
  title: 'Builders that are handed its secrets',
  help: 'A build at a peer may need secrets of this node: the private files that the recipe names, and the credentials for the sources. Only these peers are handed them, encrypted to their key.',
  none: 'Nobody is handed anything: what needs a secret is built at this node alone.',
  warn: 'Whoever runs such a node can read them. Name nobody whom you would not give the files yourself.',
  gone: 'no peer has this key any more',
  mayNot: 'Who is handed secrets is said by administrators.',
  set: 'Choose builders', change: 'Choose others',
  who: 'Peers that are handed its secrets',
  asking: 'Asking the peers…',
  noPeers: 'No peer could build for this node.',
  failed: (error: string) => `The peers could not be asked: ${error}`,
  dropped: 'Whoever has no name here is left out when this is saved.',
  save: 'Hand its secrets to these', cancel: 'Cancel',
  withdraw: 'Take it back',
  withdrawSure: 'Nobody is handed anything from now on. What was handed over before may still be there: put other secrets in its place.',
  withdrawYes: 'Take it back', keep: 'Keep it',
} as const;
