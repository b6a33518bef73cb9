// The runs of a service on one instance, newest first, and what the chosen one wrote.
import { Loader } from '@mantine/core';
import { useState } from 'react';

import { RunLogDocument, RunsDocument } from '../api/generated';
import type { Transport } from '../api/transport';
import { clock, span } from '../format/time';
import { useAnswer } from '../live/useAnswer';
import { Ago } from '../parts/Ago';
import { Badge, VersionChip } from '../parts/parts';
import parts from '../parts/parts.module.css';
import { texts } from '../texts';
import { endingOf, type Run } from './ending';
import css from './runs.module.css';

const LINES = 300;
const said = texts.runs;

interface Props {
  readonly instance: string;
  readonly service: string;
  readonly transport: Transport;
}

export function RunDetails({ instance, service, transport }: Props) {
  const answer = useAnswer(transport, RunsDocument, { instance, service });
  const [chosen, setChosen] = useState<string | null>(null);
  if (answer.kind === 'waiting') return <Loader size="sm" aria-label={said.loading} />;
  if (answer.kind === 'failed') return <p role="alert">{answer.error.message}</p>;
  const { runs } = answer.data;
  const [newest] = runs;
  if (newest === undefined) return <p>{said.none}</p>;
  const run = runs.find((one) => one.run === chosen) ?? newest;
  return (
    <div className={css.drawer}>
      <ul className={css.list}>
        {runs.map((one) => (
          <li key={one.run}>
            <RunRow run={one} chosen={one === run} onChoose={() => { setChosen(one.run); }} />
          </li>
        ))}
      </ul>
      <div>
        <h3>{said.log}</h3>
        {run.lostLines > 0 && <p className="quiet">{said.lost(run.lostLines)}</p>}
        <RunLog key={run.run} run={run.run} instance={instance} service={service} transport={transport} />
      </div>
    </div>
  );
}

interface RowProps {
  readonly run: Run;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

function RunRow({ run, chosen, onChoose }: RowProps) {
  const { text, flow } = endingOf(run);
  return (
    <button type="button" className={css.run} aria-pressed={chosen} onClick={onChoose} data-run={run.run}>
      <VersionChip version={run.version} flow={run.alive ? 'done' : 'idle'} size="sm" />
      <span className={css.when}><Ago at={run.started} />{run.ended !== null && ` · ${span(lasted(run.started, run.ended))}`}</span>
      <Badge flow={flow}>{text}</Badge>
    </button>
  );
}

function lasted(started: string, ended: string): number {
  return Math.max(0, (Date.parse(ended) - Date.parse(started)) / 1000);
}

function RunLog({ run, instance, service, transport }: Props & { readonly run: string }) {
  const answer = useAnswer(transport, RunLogDocument, { instance, service, run, first: LINES });
  if (answer.kind === 'waiting') return <Loader size="sm" aria-label={said.loading} />;
  if (answer.kind === 'failed') return <p role="alert">{answer.error.message}</p>;
  const lines = answer.data.logs.toReversed();
  if (lines.length === 0) return <p className="quiet">{said.noLog}</p>;
  return (
    <>
      {lines.length === LINES && <p className="quiet">{said.cut(LINES)}</p>}
      <pre className={parts.log} tabIndex={0} data-log>
        {lines.map((line) => (
          <span key={line.sequence} className={parts.logLine} data-level={line.level}>
            <span className={parts.logTime}>{clock(line.time)}</span><span>{line.message === '' ? ' ' : line.message}</span>
          </span>
        ))}
      </pre>
    </>
  );
}
