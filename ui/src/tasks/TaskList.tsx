// What this node did lately; each task opens its log in a drawer.
import { Skeleton } from '@mantine/core';

import type { TaskState } from '../api/generated';
import { span } from '../format/time';
import { isVersion } from '../format/version';
import { inFlight, type Flow, type Task } from '../lane/lane';
import { goTo, toTask } from '../page/place';
import { Ago } from '../parts/Ago';
import { ChevronIcon } from '../parts/icons';
import { Badge, Command, Empty, Section, VersionChip } from '../parts/parts';
import { texts } from '../texts';
import css from './tasks.module.css';

const said = texts.tasks;

const FLOWS: Record<TaskState, Flow> = {
  QUEUED: 'waiting', RUNNING: 'moving', SUCCEEDED: 'done', FAILED: 'stopped', CANCELLED: 'idle', INTERRUPTED: 'stopped',
};

export function TaskSection({ tasks }: { readonly tasks: readonly Task[] | null }) {
  return (
    <Section id="tasks" title={said.title} help={said.help} count={tasks?.filter(inFlight).length}>
      {tasks === null ? <Skeleton height={90} radius="lg" /> : tasks.length === 0 ? (
        <Empty><span>{said.empty}</span><Command text={texts.commands.build('NAME')} /></Empty>
      ) : (
        <ul className={css.list}>{tasks.map((task) => <TaskRow key={task.id} task={task} />)}</ul>
      )}
    </Section>
  );
}

export function TaskRow({ task }: { readonly task: Task }) {
  return (
    <li className={css.item} data-task={task.id} data-state={task.state}>
      <button type="button" className={css.open} onClick={() => { goTo(toTask(task.id)); }}>
        <span><TaskBadge task={task} /></span>
        <span className={css.title}>{task.title}{isVersion(task.result) && <> <VersionChip version={task.result} flow="done" size="sm" /></>}{task.error !== '' && <span className={css.error}>{task.error}</span>}{task.waitsFor !== '' && <span className={css.waits} data-waits>{said.waitsFor(task.waitsFor)}</span>}</span>
        <span className={css.side}>{said.by(task.who)}{took(task) !== null && ` · ${took(task) ?? ''}`}</span>
        <span className={css.side}><Ago at={task.ended ?? task.started ?? task.created} /></span>
        <ChevronIcon size={16} />
      </button>
    </li>
  );
}

export function TaskBadge({ task }: { readonly task: Task }) {
  return <Badge flow={FLOWS[task.state]} pulse={task.state === 'RUNNING'}>{said.states[task.state]}</Badge>;
}

/** How long an ended task ran. */
export function took({ started, ended }: Task): string | null {
  return started === null || ended === null ? null : span((Date.parse(ended) - Date.parse(started)) / 1000);
}
