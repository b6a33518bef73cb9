// The one page of a node: what it shows of it, top down by urgency.
import { Skeleton } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';

import type { SessionQuery } from '../api/generated';
import { FaultSection } from '../faults/FaultList';
import { laneOf } from '../lane/lane';
import { LaneCard } from '../lane/LaneCard';
import laneCss from '../lane/lane.module.css';
import { verdictOf } from '../lane/verdict';
import { LinkSection } from '../links/Links';
import { LiveNode } from '../live/live';
import { useStore } from '../live/store';
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
  const lanes = useMemo(
    () => {
      if (services === null || links === null || tasks === null || faults === null) return null;
      const around = { links, tasks: tasks.tasks, faults: faults.faults };
      return services.services.map((service) => laneOf(service, around));
    },
    [services, links, tasks, faults],
  );
  return (
    <>
      <Header session={who} connection={connection} faults={faults?.faults.length ?? 0} onLogOut={() => void session.logOut()} />
      <main className={css.main}>
        <div className={css.content} data-stale={connection === 'lost'}>
          {lanes === null ? <Skeleton height={54} radius="lg" /> : <VerdictBar verdict={verdictOf(lanes)} />}
          <Section id="services" title={texts.lanes.title} help={texts.lanes.help}>
            {lanes === null ? <Skeleton height={190} radius="lg" /> : lanes.length === 0 ? <NoServices /> : (
              <div className={laneCss.list}>{lanes.map((lane) => <LaneCard key={lane.service.name} lane={lane} />)}</div>
            )}
          </Section>
          <FaultSection faults={faults?.faults ?? null} here={who.node.name} />
          <LinkSection links={links} />
          <TaskSection tasks={tasks?.tasks ?? null} />
        </div>
      </main>
      <Drawers transport={live.transport} tasks={tasks?.tasks ?? []} faults={faults?.faults ?? []} here={who.node.name} />
      <LostNotice connection={connection} />
      <Announcer lanes={lanes} />
    </>
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
