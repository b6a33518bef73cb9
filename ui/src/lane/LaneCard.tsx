// One service on its way: its stages from left to right (on narrow screens downwards), joined by arrows.
import { Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';

import type { ListKind } from '../api/generated';
import { repository } from '../format/version';
import { goTo, toFaults, toService, toTask, toVersion } from '../page/place';
import { AlertIcon, BranchIcon, CrossIcon, NodeIcon } from '../parts/icons';
import { Badge, Command, Dot, Meter, VersionChip } from '../parts/parts';
import { texts } from '../texts';
import { withdrawalOf, type Flow, type Lane, type Origin, type Service, type Stage, type Task } from './lane';
import { keyOf } from './events';
import css from './lane.module.css';
import { PlaceCard } from './PlaceCard';
import { StageNotes } from './StageNotes';
import { WithdrawnNote } from './WithdrawnNote';

const said = texts.lanes;

export function LaneCard({ lane }: { readonly lane: Lane }) {
  const { service, developer, client, passedOn } = lane;
  const titleId = `lane-${service.name}`;
  return (
    <article className={css.card} data-flow={lane.flow} aria-labelledby={titleId} data-service={service.name}>
      <Head lane={lane} titleId={titleId} />
      <div className={css.track}>
        <OriginStage lane={lane} />
        <div className={css.stage} data-flow={developer.flow} data-stage="developer">
          <span className={css.label}>{said.developer}</span>
          <From next={client.flow}><StageChip list="DEVELOPER" service={service} stage={developer} /></From>
          <WithdrawnNote withdrawal={withdrawalOf(service, developer.version)} />
          <StageNotes stage={developer} kind="developer" service={service} />
          {passedOn.length > 0 && <PassedOnTo lane={lane} />}
        </div>
        <div className={css.stage} data-flow={client.flow} data-stage="client">
          <span className={css.label}>{said.client}</span>
          <From next={lane.placesFlow}><StageChip list="CLIENT" service={service} stage={client} /></From>
          <WithdrawnNote withdrawal={withdrawalOf(service, client.version)} />
          <StageNotes stage={client} kind="client" service={service} />
        </div>
        <Running lane={lane} />
      </div>
    </article>
  );
}

function Head({ lane, titleId }: { readonly lane: Lane; readonly titleId: string }) {
  const { service } = lane;
  return (
    <div className={css.head}>
      <h3 id={titleId}>{service.name}</h3>
      <Badge flow={lane.way}>{said.flow[lane.way]}</Badge>
      {service.withdrawn.length > 0 && <Badge flow="stopped">{said.withdrawn}</Badge>}
      <div className={css.headEnd}>
        {service.task !== null && <TaskBadge task={service.task} />}
        {service.faults > 0 && (
          <button type="button" className={css.link} data-flow="stopped" onClick={toFaults}>
            <AlertIcon size={15} />{said.faults(service.faults)}
          </button>
        )}
        <a className={css.link} href={toService(service.name)} aria-label={texts.builds.openOf(service.name)}>{texts.builds.open}</a>
      </div>
    </div>
  );
}

function TaskBadge({ task }: { readonly task: Task }) {
  return (
    <Tooltip label={task.title}>
      <button type="button" className={css.task} aria-label={said.openTask(task.title)} onClick={() => { goTo(toTask(task.id)); }}>
        <Badge flow="moving" pulse>{said.task(task.kind, task.state)}</Badge>
      </button>
    </Tooltip>
  );
}

interface StageChipProps {
  readonly list: ListKind;
  readonly service: Service;
  readonly stage: Stage;
}

function StageChip({ list, service, stage: { version, flow } }: StageChipProps) {
  const withdrawn = withdrawalOf(service, version) !== null;
  return (
    <VersionChip version={version} flow={withdrawn ? 'stopped' : flow} struck={withdrawn}
      to={version === null ? undefined : toVersion(list, service.name, version)} />
  );
}

/** What a stage shows, and the arrow from it into the next stage. */
function From({ next, children }: { readonly next: Flow; readonly children: ReactNode }) {
  return (
    <div className={css.from}>
      {children}
      <span className={css.arrow} data-flow={next} aria-hidden><span className={css.cross}><CrossIcon size={13} /></span></span>
    </div>
  );
}

function OriginStage({ lane }: { readonly lane: Lane }) {
  const { origin, service } = lane;
  const { lastTransfer } = service;
  return (
    <div className={css.stage} data-flow={origin.flow} data-stage="origin">
      <span className={css.label}>{said.origin[origin.kind]}</span>
      <From next={lane.developer.flow}>
        <span className={css.origin}>
          {origin.kind === 'built' ? <BranchIcon size={17} /> : <NodeIcon size={17} />}
          {origin.kind === 'unknown' ? said.originUnknown : origin.name}
        </span>
      </From>
      {origin.kind === 'built' && <span className={css.repository} title={origin.url}>{said.repository(repository(origin.url), origin.ref)}</span>}
      <OriginTrouble origin={origin} />
      {lastTransfer !== null && (
        <Meter moved={lastTransfer.movedBytes} full={lastTransfer.fullBytes} base={lastTransfer.base} />
      )}
    </div>
  );
}

function OriginTrouble({ origin }: { readonly origin: Origin }) {
  if (origin.error !== '') return <span className={css.note} data-flow="stopped">{origin.error}</span>;
  return origin.connected ? null : <span className={css.note} data-flow="waiting">{said.originOffline}</span>;
}

function Running({ lane }: { readonly lane: Lane }) {
  return (
    <div className={css.stage} data-flow={lane.placesFlow} data-stage="running">
      <span className={css.label}>{said.running}</span>
      {lane.places.length === 0 ? (
        <div className={css.notes}>
          <span className={css.note}>{said.nobody}</span>
          {lane.passedOn.length === 0 && lane.developer.version !== null && (
            <><span className={css.note}>{said.nobodyMore}</span><Command text={texts.commands.enrol} /></>
          )}
        </div>
      ) : (
        <ul className={css.places}>
          {lane.places.map((place) => <PlaceCard key={keyOf(place)} place={place} withdrawal={withdrawalOf(lane.service, place.version)} />)}
        </ul>
      )}
    </div>
  );
}

function PassedOnTo({ lane: { passedOn, crashedOn, developer } }: { readonly lane: Lane }) {
  return (
    <div className={css.passed} data-stage="passed-on" data-stopped={crashedOn.length > 0}>
      <span className={css.label}>{said.passedOn}</span>
      <ul>
        {passedOn.map(({ consumer, profile, connected }) => (
          <li key={consumer}>
            <Tooltip label={`${texts.links.profile} ${profile}, ${connected ? texts.links.connected : texts.links.disconnected}`}>
              <span className={css.consumer} tabIndex={0}><Dot flow={connected ? 'done' : 'waiting'} />{consumer}</span>
            </Tooltip>
          </li>
        ))}
      </ul>
      {crashedOn.length > 0 && (
        <button type="button" className={css.link} data-flow="stopped" onClick={toFaults}>
          {said.crashedOn(developer.version ?? '', crashedOn)}
        </button>
      )}
    </div>
  );
}
