// Decides the one sentence at the head of the page: does everything run, is something on its way, where does it stop.
import type { Flow, Lane } from './lane';

export type Verdict =
  | { readonly kind: 'empty' }
  | { readonly kind: 'stopped'; readonly stops: readonly Stop[] }
  | { readonly kind: 'moving' | 'waiting'; readonly services: readonly string[] }
  | { readonly kind: 'done'; readonly services: number; readonly places: number };

export type Stop =
  | { readonly at: 'provider' | 'developer' | 'client'; readonly service: string; readonly error: string }
  | { readonly at: 'withdrawn'; readonly service: string; readonly version: string; readonly by: string; readonly reason: string }
  | { readonly at: 'elsewhere'; readonly service: string; readonly version: string; readonly instances: readonly string[] }
  | { readonly at: 'instance'; readonly service: string; readonly instance: string; readonly version: string; readonly error: string };

export function verdictOf(lanes: readonly Lane[]): Verdict {
  if (lanes.length === 0) return { kind: 'empty' };
  const stops = lanes.flatMap(stopsOf);
  if (stops.length > 0) return { kind: 'stopped', stops };
  const named = (flow: Flow) => lanes.filter((lane) => lane.flow === flow).map((lane) => lane.service.name);
  for (const kind of ['moving', 'waiting'] as const) {
    const services = named(kind);
    if (services.length > 0) return { kind, services };
  }
  const places = lanes.flatMap((lane) => lane.places).filter(({ flow }) => flow === 'done').length;
  return { kind: 'done', services: lanes.length, places };
}

function stopsOf(lane: Lane): Stop[] {
  const service = lane.service.name;
  const stops: Stop[] = [];
  if (lane.origin.flow === 'stopped') stops.push({ at: 'provider', service, error: lane.origin.error });
  for (const at of ['developer', 'client'] as const) {
    const { note } = lane[at];
    if (note.kind === 'failed') stops.push({ at, service, error: note.task.error });
  }
  for (const place of lane.places.filter(({ flow }) => flow === 'stopped')) {
    const version = place.failed ?? place.target ?? place.version ?? '';
    stops.push({ at: 'instance', service, instance: place.instance, version, error: place.error });
  }
  if (lane.service.developed && lane.crashedOn.length > 0) {
    stops.push({ at: 'elsewhere', service, version: lane.developer.version ?? '', instances: lane.crashedOn });
  }
  for (const { version, by, reason } of lane.service.withdrawn) stops.push({ at: 'withdrawn', service, version, by, reason });
  return stops;
}
