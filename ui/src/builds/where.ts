// Decides how the place of a build is chosen and told: at this node, at any peer, or at a certain one.
import type { BuildersQuery } from '../api/generated';
import { bytes } from '../format/bytes';
import type { Flow } from '../lane/lane';
import { texts } from '../texts';

export type Builder = BuildersQuery['builders'][number];

const said = texts.builds;
const PEER = 'peer:';

export const HERE = 'here';
export const ANYWHERE = 'any';
export const peerChoice = (name: string): string => `${PEER}${name}`;

/** What the node is told: `null` for a build here, no name for any peer. */
export function onOf(choice: string): string[] | null {
  if (choice === HERE) return null;
  return choice.startsWith(PEER) ? [choice.slice(PEER.length)] : [];
}

export interface Told {
  readonly flow: Flow;
  readonly text: string;
  /** How busy it is, where it says so. */
  readonly more: string;
}

/** Whether a peer takes a build now, and why not. */
export function toldOf(builder: Builder): Told {
  const { takes, why, running, most, load, cpus, freeMemoryBytes, freeDiskBytes } = builder;
  const more = [
    running !== null && most !== null ? said.running(running, most) : '',
    load !== null && cpus !== null ? said.load(load, cpus) : '',
    freeMemoryBytes !== null && freeDiskBytes !== null ? said.free(bytes(freeMemoryBytes), bytes(freeDiskBytes)) : '',
  ].filter((part) => part !== '');
  return { flow: takes ? 'done' : 'waiting', text: takes ? said.takes : said.takesNone(why), more: more.join(', ') };
}
