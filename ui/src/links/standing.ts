// Decides what is shown of one provider: how its link stands, what is decided on each version it offers, and what
// waits to be sent up to it. No texts, no markup: values in, values out.
import type { AlarmsQuery, FollowingQuery, LinksQuery, UpdateReason, UpwardQuery } from '../api/generated';
import type { Flow } from '../lane/lane';

export type Provider = LinksQuery['providers'][number];
export type Verdict = FollowingQuery['verdicts'][number];

/** `refused`: what it answers can't be believed; `error`: the last check or update failed otherwise. */
export type Standing = 'connected' | 'disconnected' | 'ended' | 'refused' | 'error';

export const STANDING_FLOWS: Record<Standing, Flow> = {
  connected: 'done', disconnected: 'waiting', ended: 'stopped', refused: 'stopped', error: 'stopped',
};

/** The kind of the alarm that sounds while a provider's catalogue is not believed. */
const REFUSED = 'catalog-refused';

interface Told {
  readonly verdicts: readonly Verdict[];
  readonly alarms: AlarmsQuery['alarms'];
}

export function standingOf(provider: Provider, { verdicts, alarms }: Told): Standing {
  if (provider.ended !== null) return 'ended';
  const disbelieved = verdicts.some((verdict) => verdict.provider === provider.name && verdict.reason === 'REFUSED');
  if (disbelieved || alarms.some(({ kind, subject }) => kind === REFUSED && subject === provider.name)) return 'refused';
  if (provider.error !== '') return 'error';
  return provider.connected ? 'connected' : 'disconnected';
}

const HELD: Partial<Record<UpdateReason, Flow>> = {
  EXPIRED: 'stopped', REFUSED: 'stopped', PENALISED: 'stopped', ENDED: 'stopped', WITHDRAWN: 'stopped', FAILED: 'stopped',
};

/** How a version that is offered stands: taken, held until something changes, or settled. */
export function flowOf({ action, reason }: Verdict): Flow {
  if (action === 'TAKE' || action === 'DOWNLOAD') return 'moving';
  if (action === 'HOLD') return HELD[reason] ?? 'waiting';
  return reason === 'CURRENT' ? 'done' : 'idle';
}

export interface Offer {
  readonly service: string;
  readonly version: string;
  /** `null`: nothing is decided on it yet. */
  readonly verdict: Verdict | null;
  readonly flow: Flow;
}

export interface Offers {
  /** What needs a sentence: held, on its way, kept for a reason; the most urgent first. */
  readonly told: readonly Offer[];
  /** What is desired here as the provider wants. */
  readonly settled: readonly Offer[];
}

const ORDER: readonly Flow[] = ['stopped', 'moving', 'waiting', 'idle', 'done'];

/** All that `provider` offers, each with its verdict; what it offers no more, but is followed, stands there too. */
export function offersOf(provider: Provider, verdicts: readonly Verdict[]): Offers {
  const own = verdicts.filter((verdict) => verdict.provider === provider.name);
  const judged = new Set(own.map(({ service }) => service));
  const offers: Offer[] = [
    ...own.map((verdict) => ({ service: verdict.service, version: verdict.version, verdict, flow: flowOf(verdict) })),
    ...provider.offered
      .filter(({ service }) => !judged.has(service))
      .map(({ service, version }) => ({ service, version, verdict: null, flow: 'idle' as const })),
  ];
  offers.sort((one, other) =>
    ORDER.indexOf(one.flow) - ORDER.indexOf(other.flow) || (one.service < other.service ? -1 : 1));
  const isSettled = ({ verdict }: Offer) => verdict?.reason === 'CURRENT';
  return { told: offers.filter((offer) => !isSettled(offer)), settled: offers.filter(isSettled) };
}

export interface Upward {
  readonly waiting: number;
  /** When the oldest of what waits was made, as far as it was read. */
  readonly oldest: string | null;
  readonly error: string;
  /** When the provider is tried again. */
  readonly due: string | null;
  readonly refused: number;
  readonly refusal: string;
}

/** What waits for `provider`, or was refused by it; `null` when nothing does. */
export function upwardOf(provider: string, upward: UpwardQuery | null): Upward | null {
  const way = upward?.outboxWays.find((one) => one.provider === provider);
  if (upward === null || way === undefined) return null;
  const entries = upward.outbox.filter((entry) => entry.provider === provider);
  const open = entries.filter(({ standing }) => standing === 'WAITING' || standing === 'ASIDE');
  const refused = entries.filter(({ standing }) => standing === 'REFUSED');
  if (way.waiting === 0 && refused.length === 0 && way.error === '') return null;
  const oldest = open.reduce<string | null>((first, { created }) => (first === null || created < first ? created : first), null);
  const error = way.error !== '' ? way.error : (open.find((entry) => entry.error !== '')?.error ?? '');
  return { waiting: way.waiting, oldest, error, due: way.due, refused: refused.length, refusal: refused[0]?.error ?? '' };
}
