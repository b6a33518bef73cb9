// Decides which builders can be named to be handed the secrets of a service.
import type { ServiceSettingsQuery } from '../api/generated';

/** The builders of one service; an empty name: no peer has that key any more. */
export type Handed = ServiceSettingsQuery['entrusted'][number]['builders'];

/** So many are named at most. */
export const MOST_NAMED = 20;

export function handedOf(service: string, entrusted: ServiceSettingsQuery['entrusted']): Handed {
  return entrusted.find((one) => one.service === service)?.builders ?? [];
}

/** The names to choose among: whoever builds for this node, and whoever is named already. In order, each once. */
export function nameable(builders: readonly { readonly name: string }[], handed: Handed): string[] {
  const names = [...builders, ...handed].map(({ name }) => name).filter((name) => name !== '');
  return [...new Set(names)].sort((one, other) => one.localeCompare(other));
}

/** Whether saving leaves out builders that can't be named any more. */
export function drops(handed: Handed): boolean {
  return handed.some(({ name }) => name === '');
}
