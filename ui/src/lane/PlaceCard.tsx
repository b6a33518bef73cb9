// A service on one instance: what really runs there, what comes in, and what failed.
import { span } from '../format/time';
import { Ago } from '../parts/Ago';
import { BackIcon } from '../parts/icons';
import { Badge, Meter, VersionChip } from '../parts/parts';
import { toRuns, toVersion } from '../page/place';
import { texts } from '../texts';
import css from './lane.module.css';
import type { Flow, Place, Withdrawal } from './lane';
import { WithdrawnNote } from './WithdrawnNote';

const said = texts.lanes;

interface Props {
  readonly place: Place;
  /** That what runs is not to be used any more. */
  readonly withdrawal: Withdrawal | null;
}

export function PlaceCard({ place, withdrawal }: Props) {
  const { state } = place;
  const moved = state?.moved ?? null;
  return (
    <li className={css.place} data-flow={place.flow} data-instance={place.instance} data-phase={place.phase}>
      <div className={css.placeHead}>
        <PlaceName place={place} />
        <span className={css.placeEnd}><PhaseBadge place={place} /></span>
      </div>
      <div className={css.row}>
        <VersionChip version={place.version} flow={withdrawal === null ? chipFlow(place) : 'stopped'} struck={withdrawal !== null}
          to={linkOf(place)} />
        {place.target !== null && <Target version={place.target} flow={place.flow} />}
        {state !== null && <span><Ago at={state.since} /></span>}
      </div>
      {!place.online && (
        <div className={css.row}>{said.offline}{place.seen !== null && <>, {texts.links.seen} <Ago at={place.seen} /></>}</div>
      )}
      {state !== null && (state.halted || state.held) && (
        <div className={css.row} data-wish>{state.halted ? said.halted : said.held}</div>
      )}
      <WithdrawnNote withdrawal={withdrawal} />
      <Failure place={place} />
      {moved !== null && (
        <div className={css.row}>
          <Meter moved={moved.movedBytes} full={moved.fullBytes} base={moved.base}
            suffix={` · ${span(moved.seconds)}`} />
        </div>
      )}
    </li>
  );
}

/** Leads to what runs there. */
function linkOf({ state, version }: Place): string | undefined {
  const service = state?.service.split(':')[0];
  return service === undefined || version === null ? undefined : toVersion('CLIENT', service, version);
}

/** Leads to the runs of the service there, once its agent told of any. */
function PlaceName({ place: { instance, role, state } }: { readonly place: Place }) {
  const name = role === null ? instance : `${instance} · ${role}`;
  if (state === null) return <span className={css.placeName}>{name}</span>;
  return (
    <a className={css.placeName} href={toRuns(instance, state.service)} title={texts.runs.open(state.service, instance)}>{name}</a>
  );
}

/** What runs is shown as running even where the update to the next version stopped. */
function chipFlow(place: Place): Flow {
  if (place.version === null) return 'idle';
  return place.phase === 'RUNNING' ? (place.flow === 'stopped' ? 'done' : place.flow) : place.flow;
}

function PhaseBadge({ place }: { readonly place: Place }) {
  if (place.phase === null) return <Badge flow="waiting">{said.notReported}</Badge>;
  const moving = place.flow === 'moving' || place.phase === 'PUTTING_BACK';
  const flow = place.phase === 'RUNNING' && place.flow === 'stopped' ? 'done' : place.flow;
  return <Badge flow={flow} pulse={moving}>{said.phases[place.phase]}</Badge>;
}

function Target({ version, flow }: { readonly version: string; readonly flow: Flow }) {
  return <><span aria-hidden>→</span><span className="quiet">{said.toCome}</span><VersionChip version={version} flow={flow} size="sm" /></>;
}

function Failure({ place }: { readonly place: Place }) {
  const { failed, error, state } = place;
  if (failed === null && place.flow !== 'stopped') return null;
  return (
    <div className={css.failure}>
      <strong>{failed === null ? said.phases[place.phase ?? 'FAILED'] : said.failed(failed)}</strong>
      {error !== '' && <span>{error}</span>}
      {state !== null && state.failures > 1 && <span>{said.failures(state.failures)}{state.lastExit === '' ? '' : ` · ${state.lastExit}`}</span>}
      {place.putBack && place.version !== null && (
        <span className={css.back}><BackIcon size={15} />{said.putBack(place.version)}</span>
      )}
    </div>
  );
}
