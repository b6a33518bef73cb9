// Decides what a screen reader is told when lanes change: what a sighted reader would notice, and no more.
import type { Phase } from '../api/generated';
import type { Lane, Place } from './lane';

export type LaneEvent =
  | { readonly kind: 'developer' | 'client'; readonly service: string; readonly version: string }
  | { readonly kind: 'stage-failed'; readonly service: string; readonly error: string }
  | { readonly kind: 'phase'; readonly service: string; readonly instance: string; readonly phase: Phase; readonly version: string }
  | { readonly kind: 'failed'; readonly service: string; readonly instance: string; readonly version: string };

/** The events that lead from one picture to the next. The first picture (`null`) tells nothing. */
export function laneEvents(before: readonly Lane[] | null, after: readonly Lane[]): LaneEvent[] {
  if (before === null) return [];
  const old = new Map(before.map((lane) => [lane.service.name, lane]));
  return after.flatMap((lane) => eventsOf(old.get(lane.service.name) ?? null, lane));
}

function eventsOf(before: Lane | null, after: Lane): LaneEvent[] {
  const service = after.service.name;
  const events: LaneEvent[] = [];
  for (const kind of ['developer', 'client'] as const) {
    const { version, note } = after[kind];
    if (version !== null && version !== before?.[kind].version) events.push({ kind, service, version });
    if (note.kind === 'failed' && before?.[kind].note.kind !== 'failed') {
      events.push({ kind: 'stage-failed', service, error: note.task.error });
    }
  }
  const old = new Map((before?.places ?? []).map((place) => [keyOf(place), place]));
  return [...events, ...after.places.flatMap((place) => placeEvents(service, old.get(keyOf(place)) ?? null, place))];
}

function placeEvents(service: string, before: Place | null, after: Place): LaneEvent[] {
  const { instance, phase, failed } = after;
  if (failed !== null && failed !== before?.failed) return [{ kind: 'failed', service, instance, version: failed }];
  const version = after.target ?? after.version;
  if (phase === null || version === null || phase === before?.phase) return [];
  return [{ kind: 'phase', service, instance, phase, version }];
}

export function keyOf(place: Place): string {
  return place.role === null ? place.instance : `${place.instance}:${place.role}`;
}
