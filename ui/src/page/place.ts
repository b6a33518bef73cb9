// Where in the page the reader is, kept in the address's fragment so that it can be sent, reloaded and gone back from.
import { useSyncExternalStore } from 'react';

export type PagePlace =
  | { readonly kind: 'page' }
  | { readonly kind: 'fault' | 'task'; readonly id: string }
  | { readonly kind: 'runs'; readonly id: string; readonly instance: string; readonly service: string };

const FORM = /^#\/(faults|tasks)\/([A-Za-z0-9-]{1,80})$/;

const RUNS = /^#\/runs\/([a-z0-9-]{1,60})\/([a-z0-9_:-]{1,130})$/;

export function placeOf(fragment: string): PagePlace {
  const runs = RUNS.exec(fragment);
  if (runs !== null) {
    const [, instance = '', service = ''] = runs;
    return { kind: 'runs', id: `${instance}/${service}`, instance, service };
  }
  const match = FORM.exec(fragment);
  if (match === null) return { kind: 'page' };
  return { kind: match[1] === 'faults' ? 'fault' : 'task', id: match[2] ?? '' };
}

export const toFault = (id: string): string => `#/faults/${id}`;
export const toRuns = (instance: string, service: string): string => `#/runs/${instance}/${service}`;
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
