// What the address says is open, beside the page: a fault report, a task, or the runs of a service.
import { Drawer } from '@mantine/core';
import { useState } from 'react';

import type { FaultsQuery } from '../api/generated';
import type { Transport } from '../api/transport';
import { FaultDetails } from '../faults/FaultDrawer';
import type { Task } from '../lane/lane';
import { RunDetails } from '../runs/RunDrawer';
import { TaskDetails } from '../tasks/TaskDrawer';
import { texts } from '../texts';
import { goBackToPage, usePagePlace, type PagePlace } from './place';

interface Props {
  readonly transport: Transport;
  readonly tasks: readonly Task[];
  readonly faults: FaultsQuery['faults'];
  readonly here: string;
}

export function Drawers({ transport, tasks, faults, here }: Props) {
  const place = usePagePlace();
  const [shown, setShown] = useState<PagePlace>(place);
  // What was open stays in the drawer while it closes.
  if (place.kind !== 'page' && (shown.kind === 'page' || shown.id !== place.id)) setShown(place);
  const task = shown.kind === 'task' ? (tasks.find(({ id }) => id === shown.id) ?? null) : null;
  const service = faults.find(({ id }) => shown.kind === 'fault' && id === shown.id)?.service ?? null;
  const title = shown.kind === 'task' ? (task?.title ?? texts.tasks.log)
    : shown.kind === 'runs' ? texts.runs.of(shown.service, shown.instance) : texts.faults.one(service);
  return (
    <Drawer opened={place.kind !== 'page'} onClose={goBackToPage} position="right" size="min(720px, 100vw)"
      title={<strong>{title}</strong>}
      closeButtonProps={{ 'aria-label': texts.close }} padding="lg">
      {shown.kind === 'fault' && <FaultDetails key={shown.id} id={shown.id} here={here} transport={transport} />}
      {shown.kind === 'runs' && (
        <RunDetails key={shown.id} instance={shown.instance} service={shown.service} transport={transport} />
      )}
      {shown.kind === 'task' && <TaskDetails key={shown.id} id={shown.id} task={task} transport={transport} />}
    </Drawer>
  );
}
