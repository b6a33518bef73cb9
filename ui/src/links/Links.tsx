// Both ends of this node's links, and the machines it looks after.
import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';

import type { AlarmsQuery, FollowingQuery, LinksQuery, UpwardQuery } from '../api/generated';
import { bytes } from '../format/bytes';
import { Ago } from '../parts/Ago';
import { Command, Empty, Section } from '../parts/parts';
import { texts } from '../texts';
import { Card, Seen, connection } from './Card';
import { ConsumerCard } from './ConsumerCard';
import css from './links.module.css';
import { ProviderCard } from './ProviderCard';
import { standingOf, upwardOf } from './standing';

const said = texts.links;

interface Props {
  readonly links: LinksQuery | null;
  readonly following: FollowingQuery | null;
  readonly upward: UpwardQuery | null;
  readonly alarms: AlarmsQuery['alarms'];
}

export function LinkSection({ links, following, upward, alarms }: Props) {
  const told = { verdicts: following?.verdicts ?? [], alarms };
  return (
    <Section id="links" title={said.title} help={said.help}>
      {links === null ? <Skeleton height={150} radius="lg" /> : (
        <div className={css.groups}>
          <Group title={said.providers} none={said.noProviders} command={texts.commands.acceptInvitation}>
            {links.providers.map((provider) => (
              <ProviderCard key={provider.id} provider={provider} standing={standingOf(provider, told)}
                following={following} upward={upwardOf(provider.name, upward)} />
            ))}
          </Group>
          <Group title={said.consumers} none={said.noConsumers} command={texts.commands.invite}>
            {links.consumers.map((consumer) => <ConsumerCard key={consumer.id} consumer={consumer} />)}
          </Group>
          <Group title={said.instances} none={said.noInstances} command={texts.commands.enrol}>
            {links.instances.map((instance) => <InstanceCard key={instance.id} instance={instance} />)}
          </Group>
        </div>
      )}
      {following !== null && following.savedBytes.transfers > 0 && <Saved saved={following.savedBytes} />}
    </Section>
  );
}

function Saved({ saved: { moved, full, transfers } }: { readonly saved: FollowingQuery['savedBytes'] }) {
  return <p className={css.saved} data-saved>{said.saved(bytes(moved), bytes(full), transfers)}</p>;
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

function InstanceCard({ instance }: { readonly instance: LinksQuery['instances'][number] }) {
  const { services } = instance;
  const shown = instance.revoked ? { flow: 'idle' as const, state: said.revoked } : connection(instance.connected);
  return (
    <Card name={instance.name} {...shown} errors={instance.problem === '' ? [] : [instance.problem]} rows={[
      [said.runs, services === null ? said.allServices(instance.due) : services.length === 0 ? said.noServices : services.join(', ')],
      [said.labels, instance.labels.join(', ')],
      [said.clock, instance.clockAheadSeconds === 0 ? '' : said.clockAhead(instance.clockAheadSeconds)],
      [said.fixed, instance.fixed === null ? '' : instance.fixed.join(', ') || said.noServices],
      [said.awaits, instance.awaits.map(({ service, source }) => said.onceLeft(service, source)).join('; ')],
      [said.seen, <Seen key="seen" at={instance.seen} />],
      [said.enrolled, <Ago key="enrolled" at={instance.enrolled} />],
    ]} />
  );
}
