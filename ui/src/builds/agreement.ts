// Decides how a builder's word on a version is told, and whether a service's rule on builders is met.
import type { BuiltQuery } from '../api/generated';
import type { Flow } from '../lane/lane';

export type Built = BuiltQuery['provenance'][number];
export type Policy = BuiltQuery['builderPolicies'][number];
export type Agreement = 'same' | 'other' | 'unknown';

export const DIFFERENCES_SHOWN = 12;
export const AGREEMENT_FLOWS: Record<Agreement, Flow> = { same: 'done', other: 'stopped', unknown: 'idle' };

export function agreementOf({ same }: Pick<Built, 'same'>): Agreement {
  if (same === null) return 'unknown';
  return same ? 'same' : 'other';
}

/** Seconds that a build took. */
export function lasted({ started, finished }: Pick<Built, 'started' | 'finished'>): number {
  return Math.max(0, (Date.parse(finished) - Date.parse(started)) / 1000);
}

/** How many of the builders that `policy` counts built the version's very image. */
export function agreeing(policy: Policy, built: readonly Built[]): number {
  return new Set(built.filter(({ builder, same }) => same === true && policy.builders.includes(builder)).map(({ builder }) => builder)).size;
}
