// The one page of a node: what it shows of it, top down by urgency.
import { Skeleton } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';

import { OperatorContext } from '../acts/operator';
import { AlarmBanner } from '../alarms/AlarmBanner';
import type { AlarmsQuery, SessionQuery } from '../api/generated';
import { BatchPart } from '../batches/BatchPart';
import { CredentialSection } from '../credentials/CredentialSection';
import { FaultSection } from '../faults/FaultList';
import { laneOf } from '../lane/lane';
import { LaneCard } from '../lane/LaneCard';
import laneCss from '../lane/lane.module.css';
import { verdictOf } from '../lane/verdict';
import { LinkSection } from '../links/Links';
import { LiveNode } from '../live/live';
import { useStore } from '../live/store';
import { AskNotices } from '../nearby/AskNotice';
import { PairingDialogue, type Opened } from '../nearby/Dialogue';
import { NearbySection } from '../nearby/NearbySection';
import { awaiting } from '../nearby/pairing';
import { Command, Empty, Section } from '../parts/parts';
import type { Session } from '../session/session';
import { TaskSection } from '../tasks/TaskList';
import { texts } from '../texts';
import { Announcer } from './Announcer';
import { Drawers } from './Drawers';
import { Header } from './Header';
import { LostNotice } from './LostNotice';
import css from './page.module.css';
import { VerdictBar } from './VerdictBar';

const NO_ALARMS: AlarmsQuery['alarms'] = [];

interface Props {
  readonly session: Session;
  readonly who: SessionQuery;
}

export function NodePage({ session, who }: Props) {
  const [live] = useState(() => new LiveNode(session.ended));
  useEffect(() => {
    live.start();
    return () => { live.stop(); };
  }, [live]);
  useEffect(() => { document.title = `${who.node.name} · ${texts.product}`; }, [who.node.name]);
  const connection = useStore(live.connection);
  const services = useStore(live.services);
  const links = useStore(live.links);
  const tasks = useStore(live.tasks);
  const faults = useStore(live.faults);
  const following = useStore(live.following);
  const upward = useStore(live.upward);
  const alarms = useStore(live.alarms)?.alarms ?? NO_ALARMS;
  const around = useStore(live.nearby);
  const builds = useStore(live.builds);
  const [pairing, setPairing] = useState<Opened | null>(null);
  const lanes = useMemo(
    () => {
      if (services === null || links === null || tasks === null || faults === null) return null;
      const around = { links, tasks: tasks.tasks, faults: faults.faults, verdicts: following?.verdicts ?? [] };
      return services.services.map((service) => laneOf(service, around));
    },
    [services, links, tasks, faults, following],
  );
  const operator = useMemo(() => ({ transport: live.transport, administers: who.me.role === 'ADMINISTRATOR', develops: who.me.role !== 'VIEWER' }), [live, who.me.role]);
  const pairings = around?.pairings ?? [];
  return (
    <OperatorContext value={operator}>
      <Header session={who} connection={connection} faults={faults?.faults.length ?? 0} pairings={awaiting(pairings).length}
        onLogOut={() => void session.logOut()} />
      <main className={css.main}>
        <div className={css.content} data-stale={connection === 'lost'}>
          <div className={css.top}>
            <AlarmBanner alarms={alarms} />
            <AskNotices pairings={pairings} onOpen={setPairing} />
            {lanes === null ? <Skeleton height={54} radius="lg" /> : <VerdictBar verdict={verdictOf(lanes)} />}
          </div>
          <Section id="services" title={texts.lanes.title} help={texts.lanes.help}>
            {lanes === null ? <Skeleton height={190} radius="lg" /> : lanes.length === 0 ? <NoServices /> : (
              <div className={laneCss.list}>{lanes.map((lane) => <LaneCard key={lane.service.name} lane={lane} />)}</div>
            )}
            {services !== null && <BatchPart services={services.services} stamp={builds} />}
          </Section>
          <FaultSection faults={faults?.faults ?? null} here={who.node.name} />
          <LinkSection links={links} following={following} upward={upward} alarms={alarms} />
          <NearbySection around={around} links={links} onOpen={setPairing} />
          {operator.administers && <CredentialSection stamp={builds} />}
          <TaskSection tasks={tasks?.tasks ?? null} />
        </div>
      </main>
      <Drawers transport={live.transport} tasks={tasks?.tasks ?? []} faults={faults?.faults ?? []}
        services={services?.services ?? null} links={links} builds={builds} here={who.node} />
      <PairingDialogue opened={pairing} pairings={pairings} profiles={links?.profiles ?? []} onOpen={setPairing} />
      <LostNotice connection={connection} />
      <Announcer lanes={lanes} />
    </OperatorContext>
  );
}

function NoServices() {
  return (
    <Empty>
      <span>{texts.lanes.empty}</span>
      <span>{texts.lanes.emptyBuild}</span><Command text={texts.commands.addService} />
      <span>{texts.lanes.emptyLink}</span><Command text={texts.commands.acceptInvitation} />
    </Empty>
  );
}
