// How a batch of client versions goes: each task with its state and its outcome, linked with its log.
import { Button } from '@mantine/core';

import { useOperator } from '../acts/operator';
import { TasksDocument } from '../api/generated';
import css from '../builds/builds.module.css';
import { TASKS_SHOWN } from '../live/live';
import { useAnswer } from '../live/useAnswer';
import { toTask } from '../page/place';
import { Badge } from '../parts/parts';
import { TaskRow } from '../tasks/TaskList';
import tasksCss from '../tasks/tasks.module.css';
import { texts } from '../texts';
import { outcomesOf, tallyOf, type Begun, type Outcome } from './batch';
import own from './batches.module.css';

const said = texts.batches;
/** So many tasks are read at most. */
const MOST_READ = 200;

interface Props {
  readonly batch: readonly Begun[];
  readonly stamp: number;
  readonly onAgain: () => void;
  readonly onHide: () => void;
}

export function BatchOutcomes({ batch, stamp, onAgain, onHide }: Props) {
  const { transport } = useOperator();
  const first = Math.min(batch.length + TASKS_SHOWN, MOST_READ);
  const answer = useAnswer(transport, TasksDocument, { first }, stamp);
  const outcomes = outcomesOf(batch, answer.kind === 'here' ? answer.data.tasks : []);
  const tally = tallyOf(outcomes);
  return (
    <section className={own.part} aria-labelledby="batch-title" data-batch={tally.open === 0 ? 'ended' : 'open'}>
      <div className={css.head}>
        <h3 id="batch-title" className={own.title}>{tally.open === 0 ? said.outcomesEnded : said.outcomes}</h3>
        <span role="status" className={css.help}>{batch.length > 0 && said.told(tally)}</span>
      </div>
      {answer.kind === 'failed' && <p role="alert">{answer.error.message}</p>}
      {batch.length === 0 ? <p className={css.help}>{said.nothing}</p> : (
        <ul className={tasksCss.list}>{outcomes.map((outcome) => <Row key={outcome.begun.service} outcome={outcome} />)}</ul>
      )}
      <div className={css.buttons}>
        <Button size="xs" variant="default" autoFocus onClick={onAgain}>{said.again}</Button>
        <Button size="xs" variant="default" onClick={onHide}>{said.hide}</Button>
      </div>
    </section>
  );
}

function Row({ outcome: { begun, task } }: { readonly outcome: Outcome }) {
  if (task !== null) return <TaskRow task={task} />;
  if (begun.task !== null) return <li className={`${tasksCss.item ?? ''} ${own.row ?? ''}`}><a href={toTask(begun.task)}>{said.seeTask(begun.service)}</a></li>;
  return (
    <li className={`${tasksCss.item ?? ''} ${own.row ?? ''}`} data-not-begun={begun.service}>
      <span><Badge flow="stopped">{said.notBegun}</Badge></span>
      <span className={tasksCss.title}>{begun.service}<span className={tasksCss.error}>{begun.error}</span></span>
    </li>
  );
}
