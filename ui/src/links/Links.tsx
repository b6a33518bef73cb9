// Both ends of this node's links, and the machines it looks after.
import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';

import type { LinksQuery } from '../api/generated';
import { shortId } from '../format/version';
import type { Flow } from '../lane/lane';
import { Ago } from '../parts/Ago';
import { CopyButton } from '../parts/Copy';
import { Command, Dot, Empty, Facts, Section } from '../parts/parts';
import { texts } from '../texts';
import css from './links.module.css';

const said = texts.links;

export function LinkSection({ links }: { readonly links: LinksQuery | null }) {
  return (
    <Section id="links" title={said.title} help={said.help}>
      {links === null ? <Skeleton height={150} radius="lg" /> : (
        <div className={css.groups}>
          <Group title={said.providers} none={said.noProviders} command={texts.commands.acceptInvitation}>
            {links.providers.map((provider) => <ProviderCard key={provider.id} provider={provider} />)}
          </Group>
          <Group title={said.consumers} none={said.noConsumers} command={texts.commands.invite}>
            {links.consumers.map((consumer) => <ConsumerCard key={consumer.id} consumer={consumer} />)}
          </Group>
          <Group title={said.instances} none={said.noInstances} command={texts.commands.enrol}>
            {links.instances.map((instance) => <InstanceCard key={instance.id} instance={instance} />)}
          </Group>
        </div>
      )}
    </Section>
  );
}

interface GroupProps {
  readonly title: string;
  readonly none: string;
  readonly command: string;
  readonly children: readonly ReactNode[];
}

function Group({ title, none, command, children }: GroupProps) {
  return (
    <div className={css.group}>
      <h3>{title}</h3>
      {children.length === 0 ? <Empty><span>{none}</span><Command text={command} /></Empty> : <ul className={css.cards}>{children}</ul>}
    </div>
  );
}

interface CardProps {
  readonly name: string;
  readonly flow: Flow;
  readonly state: string;
  readonly error?: string;
  readonly rows: readonly (readonly [string, ReactNode])[];
}

function Card({ name, flow, state, error = '', rows }: CardProps) {
  return (
    <li className={css.card} data-link={name}>
      <div className={css.head} data-flow={flow}>
        <Dot flow={flow} /><strong>{name}</strong><span className={css.state}>{state}</span>
      </div>
      {error !== '' && <p className={css.error}>{error}</p>}
      <Facts rows={rows} />
    </li>
  );
}

function connection(connected: boolean): { flow: Flow; state: string } {
  return connected ? { flow: 'done', state: said.connected } : { flow: 'waiting', state: said.disconnected };
}

function ShortId({ id }: { readonly id: string }) {
  return <span className={css.id} title={id}>{shortId(id)}<CopyButton text={id} label={texts.header.copyId} /></span>;
}

function Seen({ at }: { readonly at: string | null }) {
  return at === null ? said.neverSeen : <Ago at={at} />;
}

function ProviderCard({ provider }: { readonly provider: LinksQuery['providers'][number] }) {
  const { flow, state } = connection(provider.connected);
  return (
    <Card name={provider.name} flow={provider.error === '' ? flow : 'stopped'} state={state} error={provider.error} rows={[
      [said.profile, provider.profile],
      [said.update, said.autoUpdates[provider.autoUpdate]],
      [said.checked, provider.checked === null ? said.neverChecked : <Ago key="checked" at={provider.checked} />],
      [said.linked, <Ago key="linked" at={provider.linked} />],
      [said.nodeId, <ShortId key="id" id={provider.id} />],
    ]} />
  );
}

function ConsumerCard({ consumer }: { readonly consumer: LinksQuery['consumers'][number] }) {
  return (
    <Card name={consumer.name} {...connection(consumer.connected)} rows={[
      [said.profile, consumer.profile],
      [said.seen, <Seen key="seen" at={consumer.seen} />],
      [said.linked, <Ago key="linked" at={consumer.linked} />],
      [said.nodeId, <ShortId key="id" id={consumer.id} />],
    ]} />
  );
}

function InstanceCard({ instance }: { readonly instance: LinksQuery['instances'][number] }) {
  const { services } = instance;
  const shown = instance.revoked ? { flow: 'idle' as const, state: said.revoked } : connection(instance.connected);
  return (
    <Card name={instance.name} {...shown} rows={[
      [said.runs, services === null ? said.allServices : services.length === 0 ? said.noServices : services.join(', ')],
      [said.seen, <Seen key="seen" at={instance.seen} />],
      [said.enrolled, <Ago key="enrolled" at={instance.enrolled} />],
    ]} />
  );
}
