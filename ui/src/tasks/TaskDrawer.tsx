// One task: where it stands, and its log, followed live.
import { useEffect, useRef } from 'react';

import type { Transport } from '../api/transport';
import { clock } from '../format/time';
import type { Task } from '../lane/lane';
import { Ago } from '../parts/Ago';
import { toVersion } from '../page/place';
import { Badge, Command, Facts, VersionChip } from '../parts/parts';
import parts from '../parts/parts.module.css';
import { texts } from '../texts';
import { LINES_KEPT, type LogRecord } from './log';
import { TaskBadge, took } from './TaskList';
import css from './tasks.module.css';
import { useTaskLog, type Followed } from './useTaskLog';

const said = texts.tasks;
const AT_END_PX = 40;

interface Props {
  readonly id: string;
  readonly task: Task | null;
  readonly transport: Transport;
}

export function TaskDetails({ id, task, transport }: Props) {
  const log = useTaskLog(transport, id);
  return (
    <div className={css.drawer}>
      {task === null ? <p>{said.gone} <Command text={texts.commands.taskLog(id)} /></p> : <Facts rows={rows(task)} />}
      <div>
        <h3>{said.log}{log.state === 'following' && <Badge flow="moving" pulse>{said.following}</Badge>}</h3>
        <Lines log={log} />
      </div>
    </div>
  );
}

function rows(task: Task) {
  return [
    [said.state, <TaskBadge key="state" task={task} />],
    [said.waits, task.waitsFor === '' ? null : <span key="waits" style={{ color: 'var(--waiting-ink)' }} data-waits>{task.waitsFor}</span>],
    [said.error, task.error === '' ? null : <strong key="error" style={{ color: 'var(--stopped-ink)' }}>{task.error}</strong>],
    [said.result, task.result],
    [said.version, rebuilt(task)],
    [said.who, task.who],
    [said.created, <Ago key="created" at={task.created} />],
    [said.took1, took(task)],
  ] as const;
}

/** The version that was built once more. */
function rebuilt({ kind, subject }: Task) {
  const [service, version] = subject.split('/');
  if (kind !== 'REBUILD' || service === undefined || version === undefined) return null;
  return <VersionChip key="version" version={version} flow="idle" size="sm" to={toVersion('DEVELOPER', service, version)} />;
}

function Lines({ log }: { readonly log: Followed }) {
  const box = useRef<HTMLPreElement>(null);
  const height = useRef(0);
  // Keeps the newest line in sight, unless the reader has scrolled up to read.
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const wasAtEnd = height.current - element.scrollTop - element.clientHeight < AT_END_PX;
    if (wasAtEnd) element.scrollTop = element.scrollHeight;
    height.current = element.scrollHeight;
  }, [log.last]);
  if (log.state === 'failed') return <p role="alert">{said.logError(log.error)}</p>;
  if (log.records.length === 0) return <p className="quiet">{log.state === 'following' ? said.logEmpty : said.logNone}</p>;
  return (
    <>
      {log.cut && <p className="quiet">{said.earlier(LINES_KEPT)}</p>}
      <pre className={parts.log} ref={box} tabIndex={0} data-log>
        {log.records.map((record) => <Line key={record.sequence} record={record} />)}
      </pre>
    </>
  );
}

function Line({ record }: { readonly record: LogRecord }) {
  return (
    <span className={parts.logLine} data-level={record.level}>
      <span className={parts.logTime}>{clock(record.time)}</span><span>{record.message}</span>
    </span>
  );
}
