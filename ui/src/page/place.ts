// Where in the page the reader is, kept in the address's fragment so that it can be sent, reloaded and gone back from.
import { useSyncExternalStore } from 'react';

import type { ListKind } from '../api/generated';

export type PagePlace =
  | { readonly kind: 'page' }
  | { readonly kind: 'fault' | 'task'; readonly id: string }
  | { readonly kind: 'runs'; readonly id: string; readonly instance: string; readonly service: string }
  | { readonly kind: 'version'; readonly id: string; readonly list: ListKind; readonly service: string; readonly version: string }
  | { readonly kind: 'service'; readonly id: string; readonly service: string };

const FORM = /^#\/(faults|tasks)\/([A-Za-z0-9-]{1,80})$/;

const SERVICE = /^#\/services\/([a-z][a-z0-9_-]{0,59})$/;
const VERSION = /^#\/versions\/(developer|client)\/([a-z][a-z0-9_-]{0,59})\/([A-Za-z0-9._-]{1,130})$/;
const RUNS = /^#\/runs\/([a-z0-9-]{1,60})\/([a-z0-9_:-]{1,130})$/;

export function placeOf(fragment: string): PagePlace {
  const runs = RUNS.exec(fragment);
  if (runs !== null) {
    const [, instance = '', service = ''] = runs;
    return { kind: 'runs', id: `${instance}/${service}`, instance, service };
  }
  const [, list = '', of = '', version = ''] = VERSION.exec(fragment) ?? [];
  if (version !== '') {
    return { kind: 'version', id: `${list}/${of}/${version}`, list: list === 'client' ? 'CLIENT' : 'DEVELOPER', service: of, version };
  }
  const named = SERVICE.exec(fragment)?.[1];
  if (named !== undefined) return { kind: 'service', id: named, service: named };
  const match = FORM.exec(fragment);
  if (match === null) return { kind: 'page' };
  return { kind: match[1] === 'faults' ? 'fault' : 'task', id: match[2] ?? '' };
}

export const toFault = (id: string): string => `#/faults/${id}`;
export const toRuns = (instance: string, service: string): string => `#/runs/${instance}/${service}`;
export const toService = (service: string): string => `#/services/${service}`;
export const toVersion = (list: ListKind, service: string, version: string): string =>
  `#/versions/${list === 'CLIENT' ? 'client' : 'developer'}/${service}/${version}`;
export const toTask = (id: string): string => `#/tasks/${id}`;

export function goTo(fragment: string): void {
  window.location.hash = fragment;
}

/** Closes what is open without a jump of the page, and without filling the history. */
export function goBackToPage(): void {
  window.history.pushState(null, '', window.location.pathname);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

export function toFaults(): void {
  document.getElementById('faults')?.scrollIntoView({ behavior: 'smooth' });
  document.getElementById('faults-title')?.focus({ preventScroll: true });
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  window.addEventListener('popstate', listener);
  return () => {
    window.removeEventListener('hashchange', listener);
    window.removeEventListener('popstate', listener);
  };
}

export function usePagePlace(): PagePlace {
  return placeOf(useSyncExternalStore(subscribe, () => window.location.hash));
}
