// One fault report whole: what happened, the way it took, the facts, and the last lines of the log.
import { Loader } from '@mantine/core';

import { FaultReportDocument, type FaultReportQuery } from '../api/generated';
import type { Transport } from '../api/transport';
import { bytes } from '../format/bytes';
import { clock, span, stampedLine } from '../format/time';
import { Ago } from '../parts/Ago';
import { Facts, VersionChip } from '../parts/parts';
import parts from '../parts/parts.module.css';
import { useAnswer } from '../live/useAnswer';
import { texts } from '../texts';
import { ending } from './ending';
import { FaultFiles } from './FaultFiles';
import { FaultPath } from './FaultPath';
import css from './faults.module.css';

const said = texts.faults;
type Report = NonNullable<FaultReportQuery['fault']>;

interface Props {
  readonly id: string;
  readonly here: string;
  readonly transport: Transport;
}

export function FaultDetails({ id, here, transport }: Props) {
  const answer = useAnswer(transport, FaultReportDocument, { id });
  if (answer.kind === 'waiting') return <Loader size="sm" aria-label={said.loading} />;
  if (answer.kind === 'failed') return <p role="alert">{answer.error.message}</p>;
  const { fault } = answer.data;
  return fault === null ? <p>{said.gone}</p> : <Whole fault={fault} here={here} />;
}

function Whole({ fault, here }: { readonly fault: Report; readonly here: string }) {
  return (
    <div className={css.drawer}>
      <div className={css.banner}>
        <strong>{ending(fault)}</strong>
        {fault.message !== '' && <p>{fault.message}</p>}
      </div>
      <div><h3>{said.path}</h3><FaultPath fault={fault} here={here} withInstance /></div>
      <div><h3>{said.facts}</h3><Facts rows={rows(fault)} /><FaultFiles fault={fault} here={here} /></div>
      {fault.trace.length > 0 && <div><h3>{said.trace}</h3><Trace lines={fault.trace} /></div>}
      <div>
        <h3>{said.log(fault.log.length)}</h3>
        {fault.log.length === 0 ? <p className="quiet">{said.noLog}</p> : <Tail lines={fault.log} />}
      </div>
    </div>
  );
}

function rows(fault: Report) {
  return [
    [said.service, fault.service],
    [said.version, <VersionChip key="version" version={fault.version} flow="stopped" size="sm" />],
    [said.back, fault.putBack === null ? said.nothingBack : <VersionChip key="back" version={fault.putBack} flow="done" size="sm" />],
    [said.instance, fault.instance],
    [said.phase, fault.inProbation ? said.inProbation : said.running],
    [said.uptime, span(fault.uptimeSeconds)],
    ...around(fault),
    [said.occurred, <Ago key="occurred" at={fault.occurred} />],
    [said.received, <Ago key="received" at={fault.received} />],
    [said.id, <code key="id">{fault.id}</code>],
  ] as const;
}

/** What is known beyond the crash itself; a row without anything to say is not shown. */
function around({ alike, host, earlier, damaged, files, left }: Report) {
  const room = (free: number | null, whole: number | null) =>
    free === null || whole === null ? null : said.free(bytes(free), bytes(whole));
  return [
    [said.damaged, damaged.length > 0 ? damaged.join(', ') : null],
    [said.files, files.length > 0 ? files.join(', ') : null],
    [said.left, left.length > 0 ? left.join(', ') : null],
    [said.alike, alike > 0 ? said.alikeCount(alike) : null],
    [said.outOfMemory, host.oomKills !== null && host.oomKills > 0 ? said.killed(host.oomKills) : null],
    [said.memory, room(host.memoryFreeBytes, host.memoryBytes)],
    [said.disk, room(host.diskFreeBytes, host.diskBytes)],
    [said.earlier, earlier.length > 0 ? <Earlier key="earlier" faults={earlier} /> : null],
  ] as const;
}

function Earlier({ faults }: { readonly faults: Report['earlier'] }) {
  return (
    <ul className={css.earlier}>
      {faults.map(({ id, occurred, version }) => <li key={id}><Ago at={occurred} /> <code>{version}</code></li>)}
    </ul>
  );
}

function Trace({ lines }: { readonly lines: readonly string[] }) {
  return (
    <pre className={parts.log} tabIndex={0} data-trace>
      {lines.map((line, index) => <span key={index} className={parts.logLine}>{line === '' ? ' ' : line}</span>)}
    </pre>
  );
}

function Tail({ lines }: { readonly lines: readonly string[] }) {
  return (
    <pre className={parts.log} tabIndex={0} data-log>
      {lines.map((line, index) => <TailLine key={index} line={line} />)}
    </pre>
  );
}

function TailLine({ line }: { readonly line: string }) {
  const { at, text } = stampedLine(line);
  return (
    <span className={parts.logLine}>
      {at !== null && <span className={parts.logTime}>{clock(at)}</span>}<span>{text === '' ? ' ' : text}</span>
    </span>
  );
}
