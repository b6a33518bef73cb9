// One consumer: what it may do here, and what it reported as installed.
import { Checkbox } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { SetConsumerRightsDocument, type LinksQuery, type Right } from '../api/generated';
import { Ago } from '../parts/Ago';
import { VersionChip } from '../parts/parts';
import { texts } from '../texts';
import { Card, Seen, ShortId, connection } from './Card';
import css from './links.module.css';
import { ALL_RIGHTS, inOrder, toggled } from './rights';

const said = texts.links;
type Consumer = LinksQuery['consumers'][number];

export function ConsumerCard({ consumer }: { readonly consumer: Consumer }) {
  const { administers } = useOperator();
  return (
    <Card name={consumer.name} {...connection(consumer.connected)} rows={[
      [said.profile, consumer.profile],
      [said.testerName, consumer.tester ? said.tester : null],
      [said.seen, <Seen key="seen" at={consumer.seen} />],
      [said.linked, <Ago key="linked" at={consumer.linked} />],
      [said.nodeId, <ShortId key="id" id={consumer.id} />],
    ]}>
      {administers ? <RightBoxes consumer={consumer} /> : <RightList consumer={consumer} />}
      <Report report={consumer.report} />
    </Card>
  );
}

function RightList({ consumer: { name, rights } }: { readonly consumer: Consumer }) {
  return (
    <div className={css.part}>
      <h4>{said.may(name)}</h4>
      <p>{rights.length === 0 ? said.mayNothing : texts.and(inOrder(rights).map((right) => said.rights[right]))}</p>
    </div>
  );
}

function RightBoxes({ consumer: { name, rights } }: { readonly consumer: Consumer }) {
  const { run, busy, error } = useAct(SetConsumerRightsDocument);
  // What was clicked is shown at once, until the node has been read again.
  const [wished, setWished] = useState<{ readonly rights: readonly Right[]; readonly instead: readonly Right[] } | null>(null);
  const shown = wished?.instead === rights ? wished.rights : rights;
  const toggle = async (right: Right) => {
    if (busy) return;
    const next = toggled(shown, right);
    setWished({ rights: next, instead: rights });
    if ((await run({ name, rights: next })) === null) setWished(null);
  };
  return (
    <fieldset className={css.rights} aria-busy={busy}>
      <legend>{said.may(name)}</legend>
      {ALL_RIGHTS.map((right) => (
        <Checkbox key={right} size="xs" label={said.rights[right]} checked={shown.includes(right)}
          onChange={() => void toggle(right)} data-right={right} />
      ))}
      <ActError error={error} />
    </fieldset>
  );
}

function Report({ report }: { readonly report: Consumer['report'] }) {
  if (report === null) return <p className={css.small}>{said.reportedNever}</p>;
  const { installed, instances, leftOut, received } = report;
  const places = instances.length + leftOut;
  return (
    <div className={css.part}>
      <h4>{said.reported}</h4>
      <p className="quiet"><Ago at={received} />{places > 0 && `, ${said.onInstances(places)}`}</p>
      {installed.length === 0 ? <p className="quiet">{said.reportedNothing}</p> : (
        <ul className={css.offers}>
          {installed.map(({ service, version }) => (
            <li key={service} className={css.offer}>
              <span className={css.offerName}>{service}</span><VersionChip version={version} flow="idle" size="sm" />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
