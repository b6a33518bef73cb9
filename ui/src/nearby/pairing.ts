// Decides where a pairing stands for the operator of this node, and what may be begun with a node nearby. No texts, no
// markup: values in, values out.
import type { NearbyQuery, NearbyRelation, PairingFieldsFragment, PairingWish } from '../api/generated';
import type { Flow } from '../lane/lane';

export type Pairing = PairingFieldsFragment;
export type NearbyNode = NearbyQuery['nearby']['nodes'][number];
/** What this node's operator wants of a link. */
export type Way = PairingWish;

/** The first four are open; `compare` waits for the operator here, `there` for the other one. */
export type Step = 'opening' | 'compare' | 'there' | 'making' | 'linked' | 'rejected' | 'failed' | 'expired';

export function stepOf({ stage, confirmedHere, confirmedThere }: Pairing): Step {
  switch (stage) {
    case 'OPENING': return 'opening';
    case 'COMPARING': return confirmedHere ? (confirmedThere ? 'making' : 'there') : 'compare';
    case 'LINKED': return 'linked';
    case 'REJECTED': return 'rejected';
    case 'FAILED': return 'failed';
    case 'EXPIRED': return 'expired';
  }
}

export const STEP_FLOWS: Record<Step, Flow> = {
  opening: 'moving', compare: 'waiting', there: 'moving', making: 'moving', linked: 'done', rejected: 'idle', failed: 'stopped', expired: 'idle',
};

export function isOpen(pairing: Pairing): boolean {
  return pairing.stage === 'OPENING' || pairing.stage === 'COMPARING';
}

/** Those that wait for the operator here, whoever began them. */
export function awaiting(pairings: readonly Pairing[]): Pairing[] {
  return pairings.filter((pairing) => stepOf(pairing) === 'compare');
}

/** Those that another node began, and that the operator here has not answered. */
export function asking(pairings: readonly Pairing[]): Pairing[] {
  return awaiting(pairings).filter(({ initiated }) => !initiated);
}

/** Whether the operator here has to choose the profile: he gives, and the other side, which began, could not know it. */
export function needsProfile({ provides, initiated, profile }: Pairing): boolean {
  return provides && !initiated && profile === null;
}

const WAYS: Record<NearbyRelation, readonly Way[]> = {
  STRANGER: ['TAKE', 'GIVE'], PROVIDER: ['GIVE'], CONSUMER: ['TAKE'], BOTH: [],
};

/** The links that a node nearby does not have with this one yet; `ended`: it ended the one it gave. */
export function waysLeft(relation: NearbyRelation, ended: boolean): readonly Way[] {
  return ended && (relation === 'PROVIDER' || relation === 'BOTH') ? ['TAKE', ...WAYS[relation]] : WAYS[relation];
}

/** A code in two groups, as people read it aloud: `123 456`. */
export function grouped(code: string): string {
  return `${code.slice(0, 3)} ${code.slice(3)}`;
}

/** The same digit by digit, so that a screen reader does not say "one hundred twenty-three thousand". */
export function spelled(code: string): string {
  return grouped(code).replace(' ', ',').replace(/(?!^)([0-9])/g, ' $1');
}
