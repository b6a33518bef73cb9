// One provider: how its link stands, what it lets this node do, what it offers and what is decided on it.
import { Button } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { CheckProviderDocument, UpdateProviderDocument, type FollowingQuery } from '../api/generated';
import { goTo, toTask } from '../page/place';
import { Ago } from '../parts/Ago';
import { useNow } from '../parts/now';
import { VersionChip } from '../parts/parts';
import { texts } from '../texts';
import { BuildsForIt } from './BuildsForIt';
import { Card, ShortId } from './Card';
import css from './links.module.css';
import { inOrder } from './rights';
import { STANDING_FLOWS, offersOf, type Offer, type Offers, type Provider, type Standing, type Upward } from './standing';
import { UpwardNote } from './UpwardNote';

const said = texts.links;
const SETTLED_SHOWN = 4;

interface Props {
  readonly provider: Provider;
  readonly standing: Standing;
  readonly following: FollowingQuery | null;
  readonly upward: Upward | null;
}

export function ProviderCard({ provider, standing, following, upward }: Props) {
  const { administers } = useOperator();
  const now = useNow();
  return (
    <Card name={provider.name} flow={STANDING_FLOWS[standing]} state={said.standings[standing]}
      errors={errorsOf(provider, following, now)} rows={[
        [said.profile, provider.profile],
        [said.lets, provider.rights.length === 0 ? said.letsNothing : texts.and(inOrder(provider.rights).map((right) => said.rights[right]))],
        [said.update, said.autoUpdates[provider.autoUpdate]],
        [said.window, provider.window],
        [said.testedBy, provider.testedBy],
        [said.buildsFor, provider.builds && !administers ? said.buildsForIt : ''],
        [said.checked, provider.checked === null ? said.neverChecked : <Ago key="checked" at={provider.checked} />],
        [said.linked, <Ago key="linked" at={provider.linked} />],
        [said.nodeId, <ShortId key="id" id={provider.id} />],
      ]}>
      <OfferList offers={offersOf(provider, following?.verdicts ?? [])} />
      {upward !== null && <UpwardNote upward={upward} />}
      {administers && provider.ended === null && <BuildsForIt provider={provider.name} builds={provider.builds} />}
      {administers && provider.ended === null && <Acts name={provider.name} />}
    </Card>
  );
}

function errorsOf(provider: Provider, following: FollowingQuery | null, now: number): string[] {
  const penalty = following?.penalties.find((one) => one.provider === provider.name);
  return [
    provider.ended === null ? '' : said.ended,
    provider.error,
    penalty !== undefined && Date.parse(penalty.until) > now ? said.penalty(penalty.reason) : '',
    provider.offeredUrl === '' ? '' : said.offeredUrl(provider.offeredUrl),
  ].filter((sentence) => sentence !== '');
}

function OfferList({ offers: { told, settled } }: { readonly offers: Offers }) {
  return (
    <div className={css.part}>
      <h4>{said.offers}</h4>
      {told.length + settled.length === 0 && <p className="quiet">{said.offersNothing}</p>}
      {told.length > 0 && <OfferRows offers={told} />}
      {settled.length > SETTLED_SHOWN ? (
        <details className={css.settled}><summary>{said.settled(settled.length)}</summary><OfferRows offers={settled} /></details>
      ) : settled.length > 0 && <OfferRows offers={settled} />}
    </div>
  );
}

function OfferRows({ offers }: { readonly offers: readonly Offer[] }) {
  return (
    <ul className={css.offers}>
      {offers.map(({ service, version, verdict, flow }) => (
        <li key={service} className={css.offer} data-flow={flow} data-offer={service} data-reason={verdict?.reason}>
          <span className={css.offerName}>{service}</span><VersionChip version={version} flow={flow} size="sm" />
          {verdict !== null && verdict.reason !== 'CURRENT' && <p className={css.why}>{verdict.why}</p>}
        </li>
      ))}
    </ul>
  );
}

function Acts({ name }: { readonly name: string }) {
  const check = useAct(CheckProviderDocument);
  const update = useAct(UpdateProviderDocument);
  const [checked, setChecked] = useState(false);
  const look = async () => {
    setChecked(false);
    setChecked((await check.run({ name })) !== null);
  };
  const take = async () => {
    const begun = await update.run({ name });
    if (begun !== null) goTo(toTask(begun.updateProvider.id));
  };
  return (
    <div className={css.acts}>
      <Button size="xs" variant="default" aria-label={said.checkOf(name)} loading={check.busy} disabled={update.busy}
        onClick={() => void look()}>{said.check}</Button>
      <Button size="xs" aria-label={said.takesOf(name)} loading={update.busy} disabled={check.busy}
        onClick={() => void take()}>{said.takes}</Button>
      <span role="status" className={css.done}>{checked && said.checkedNow}</span>
      <ActError error={check.error !== '' ? check.error : update.error} />
    </div>
  );
}
