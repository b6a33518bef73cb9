// The nodes on the local network, and the pairings with them.
import { Button, Skeleton } from '@mantine/core';

import { useOperator } from '../acts/operator';
import type { LinksQuery, NearbyQuery } from '../api/generated';
import { shortId } from '../format/version';
import { Ago } from '../parts/Ago';
import { CopyButton } from '../parts/Copy';
import { Badge, Section } from '../parts/parts';
import { texts } from '../texts';
import type { Opened } from './Dialogue';
import css from './nearby.module.css';
import { STEP_FLOWS, awaiting, isOpen, stepOf, waysLeft, type NearbyNode, type Pairing } from './pairing';

const said = texts.nearby;

interface Props {
  readonly around: NearbyQuery | null;
  readonly links: LinksQuery | null;
  readonly onOpen: (opened: Opened) => void;
}

export function NearbySection({ around, links, onOpen }: Props) {
  const { administers } = useOperator();
  const ended = new Set(links?.providers.filter((provider) => provider.ended !== null).map(({ id }) => id));
  return (
    <Section id="nearby" title={said.title} help={said.help} count={awaiting(around?.pairings ?? []).length}>
      {around === null ? <Skeleton height={60} radius="lg" /> : (
        <>
          <Nodes seen={around.nearby} ended={ended} onOpen={onOpen} />
          {around.pairings.length > 0 && <PairingList pairings={around.pairings} onOpen={onOpen} />}
          {administers && (
            <div><Button size="xs" variant="default" onClick={() => { onOpen({ kind: 'choose', node: null, ways: ['TAKE', 'GIVE'] }); }}>{said.pairByAddress}</Button></div>
          )}
        </>
      )}
    </Section>
  );
}

interface NodesProps {
  readonly seen: NearbyQuery['nearby'];
  readonly ended: ReadonlySet<string>;
  readonly onOpen: (opened: Opened) => void;
}

function Nodes({ seen: { on, nodes }, ended, onOpen }: NodesProps) {
  if (!on) return <p className={css.quiet} data-discovery="off">{said.off}</p>;
  if (nodes.length === 0) return <p className={css.quiet}>{said.nobody}</p>;
  return (
    <ul className={css.list}>
      {nodes.map((node) => <NodeRow key={node.id} node={node} ended={ended.has(node.id)} onOpen={onOpen} />)}
    </ul>
  );
}

function NodeRow({ node, ended, onOpen }: { readonly node: NearbyNode; readonly ended: boolean; readonly onOpen: (opened: Opened) => void }) {
  const { administers } = useOperator();
  const ways = waysLeft(node.relation, ended);
  return (
    <li className={css.row} data-nearby={node.name}>
      <span className={css.who}>
        <strong>{node.name}</strong>
        <span className={css.id}>{shortId(node.id)}<CopyButton text={node.id} label={texts.header.copyId} /></span>
      </span>
      <span className={css.where}>{node.urls[0]}</span>
      <span className={css.stands}><Badge flow={node.relation === 'STRANGER' ? 'idle' : 'done'}>{said.relations[node.relation]}</Badge></span>
      <span className={css.when}>{said.heard} <Ago at={node.heard} /></span>
      <span className={css.end}>
        {administers && ways.length > 0 && (
          <Button size="xs" variant={node.relation === 'STRANGER' ? 'filled' : 'default'} aria-label={said.pairWith(node.name)}
            onClick={() => { onOpen({ kind: 'choose', node, ways }); }}>{said.pair}</Button>
        )}
      </span>
    </li>
  );
}

function PairingList({ pairings, onOpen }: { readonly pairings: readonly Pairing[]; readonly onOpen: (opened: Opened) => void }) {
  return (
    <div className={css.group}>
      <h3>{said.pairings}</h3>
      <ul className={css.list}>
        {pairings.map((pairing) => <PairingRow key={pairing.id} pairing={pairing} onOpen={onOpen} />)}
      </ul>
    </div>
  );
}

function PairingRow({ pairing, onOpen }: { readonly pairing: Pairing; readonly onOpen: (opened: Opened) => void }) {
  const { administers } = useOperator();
  const step = stepOf(pairing);
  return (
    <li className={css.row} data-pairing={pairing.node} data-step={step}>
      <span className={css.who}><strong>{pairing.node}</strong><span className={css.id}>{shortId(pairing.nodeId)}</span></span>
      <span className={css.where}>
        {pairing.provides ? said.gives(pairing.node, pairing.profile) : said.takes(pairing.node, pairing.profile)}
        {pairing.reason !== '' && <span className={css.reason} data-flow={STEP_FLOWS[step]}>{pairing.reason}</span>}
      </span>
      <span className={css.stands}><Badge flow={STEP_FLOWS[step]} pulse={step === 'making'}>{standsOf(pairing)}</Badge></span>
      <span className={css.when}><Ago at={pairing.opened} /></span>
      <span className={css.end}>
        {administers && isOpen(pairing) && (
          <Button size="xs" variant={step === 'compare' ? 'filled' : 'default'}
            aria-label={step === 'compare' ? said.compareWith(pairing.node) : said.showOf(pairing.node)}
            onClick={() => { onOpen({ kind: 'pairing', pairing }); }}>
            {step === 'compare' ? said.compare : said.show}
          </Button>
        )}
      </span>
    </li>
  );
}

function standsOf(pairing: Pairing): string {
  const step = stepOf(pairing);
  return step === 'there' ? said.waitsThere(pairing.node) : said.steps[step];
}
