// What the address says is open, beside the page: a fault report, a task, a version, the runs of a service,
// or how it is built.
import { Drawer } from '@mantine/core';
import { useState } from 'react';

import type { FaultsQuery, LinksQuery, SessionQuery } from '../api/generated';
import type { Transport } from '../api/transport';
import { FaultDetails } from '../faults/FaultDrawer';
import { ServiceDetails } from '../builds/ServiceDrawer';
import type { Service, Task } from '../lane/lane';
import { RunDetails } from '../runs/RunDrawer';
import { TaskDetails } from '../tasks/TaskDrawer';
import { VersionDetails } from '../versions/VersionDrawer';
import { texts } from '../texts';
import { goBackToPage, usePagePlace, type PagePlace } from './place';

interface Props {
  readonly transport: Transport;
  readonly tasks: readonly Task[];
  readonly faults: FaultsQuery['faults'];
  readonly services: readonly Service[] | null;
  readonly links: LinksQuery | null;
  /** Another number when what is shown of builds has to be read again. */
  readonly builds: number;
  readonly here: SessionQuery['node'];
}

export function Drawers({ transport, tasks, faults, services, links, builds, here }: Props) {
  const place = usePagePlace();
  const [shown, setShown] = useState<PagePlace>(place);
  // What was open stays in the drawer while it closes.
  if (place.kind !== 'page' && (shown.kind !== place.kind || shown.id !== place.id)) setShown(place);
  const task = shown.kind === 'task' ? (tasks.find(({ id }) => id === shown.id) ?? null) : null;
  const service = faults.find(({ id }) => shown.kind === 'fault' && id === shown.id)?.service ?? null;
  const title = shown.kind === 'task' ? (task?.title ?? texts.tasks.log)
    : shown.kind === 'runs' ? texts.runs.of(shown.service, shown.instance)
      : shown.kind === 'version' ? texts.versions.one(shown.service, shown.version)
        : shown.kind === 'service' ? texts.builds.of(shown.service) : texts.faults.one(service);
  return (
    <Drawer opened={place.kind !== 'page'} onClose={goBackToPage} position="right" size="min(720px, 100vw)"
      title={<strong>{title}</strong>}
      closeButtonProps={{ 'aria-label': texts.close }} padding="lg">
      {shown.kind === 'fault' && <FaultDetails key={shown.id} id={shown.id} here={here.name} transport={transport} />}
      {shown.kind === 'runs' && (
        <RunDetails key={shown.id} instance={shown.instance} service={shown.service} transport={transport} />
      )}
      {shown.kind === 'version' && (
        <VersionDetails key={shown.id} place={shown} builds={builds} transport={transport} />
      )}
      {shown.kind === 'service' && (
        <ServiceDetails key={shown.id} name={shown.service} services={services} links={links} here={here} builds={builds} transport={transport} />
      )}
      {shown.kind === 'task' && <TaskDetails key={shown.id} id={shown.id} task={task} transport={transport} />}
    </Drawer>
  );
}
