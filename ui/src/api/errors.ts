// What can go wrong between this page and its node, by cause.
import type { CombinedError } from '@urql/core';

/** The caller is not, or no longer, allowed: log in again. */
export class DeniedError extends Error {}
/** The node did not answer. */
export class UnreachableError extends Error {}
/** The node answered with an error of its own. */
export class RefusedError extends Error {}

interface Told {
  readonly message: string;
  readonly extensions?: Record<string, unknown> | undefined;
}

export function ofQuery(error: CombinedError): Error {
  const status = (error.response as Response | undefined)?.status;
  const first = error.graphQLErrors[0];
  if (status === 401) return new DeniedError(first?.message ?? 'not logged in');
  return first === undefined ? new UnreachableError(error.message) : ofTold(first);
}

/** The cause of a subscription's end: the node's own errors, or a socket that is gone for good. */
export function ofSubscription(cause: unknown): Error {
  const first: unknown = Array.isArray(cause) ? cause[0] : undefined;
  if (first !== undefined) return ofTold(first as Told);
  return new UnreachableError(cause instanceof Error ? cause.message : 'the connection was closed');
}

function ofTold(told: Told): Error {
  return told.extensions?.code === 'denied' ? new DeniedError(told.message) : new RefusedError(told.message);
}
