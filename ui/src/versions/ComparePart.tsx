// How a version differs from another one of its service: the paths of their images, as many as a reader can use.
import { Button, Loader, NativeSelect } from '@mantine/core';
import { useState } from 'react';

import { useOperator } from '../acts/operator';
import { ComparisonDocument, type ListKind } from '../api/generated';
import css from '../builds/builds.module.css';
import { bytes } from '../format/bytes';
import { useAnswer } from '../live/useAnswer';
import { Command } from '../parts/parts';
import { texts } from '../texts';
import { all, lineOf, type Comparison, type Difference } from './comparison';
import type { Version } from './VersionDrawer';

const said = texts.versions;
const PATHS_SHOWN = 200;

interface Props {
  readonly list: ListKind;
  readonly service: string;
  readonly version: string;
  readonly versions: readonly Version[];
}

export function ComparePart({ list, service, version, versions }: Props) {
  const [open, setOpen] = useState(false);
  const [other, setOther] = useState('');
  const others = versions.filter((one) => one.version !== version);
  if (others.length === 0) return <p className={css.help}>{said.compareNone}</p>;
  if (!open) {
    return <div className={css.part}><Button size="xs" variant="default" onClick={() => { setOpen(true); }}>{said.compare}</Button></div>;
  }
  return (
    <section className={css.part} data-compare>
      <NativeSelect label={said.compareWhich} value={other} autoFocus onChange={(event) => { setOther(event.currentTarget.value); }}
        data={[{ value: '', label: said.compareChoose, disabled: true }, ...others.map((one) => ({ value: one.version, label: one.version }))]} />
      {other !== '' && <Compared key={other} list={list} service={service} version={version} other={other} />}
    </section>
  );
}

interface ComparedProps extends Omit<Props, 'versions'> {
  readonly other: string;
}

/** From the chosen version to the one that is shown. */
function Compared({ list, service, version, other }: ComparedProps) {
  const { transport } = useOperator();
  const answer = useAnswer(transport, ComparisonDocument, { kind: list, service, version: other, other: version, first: PATHS_SHOWN });
  if (answer.kind === 'waiting') return <Loader size="sm" aria-label={said.comparing} />;
  if (answer.kind === 'failed') return <p role="alert">{answer.error.message}</p>;
  const found = answer.data.compareVersions;
  return (
    <>
      <h4 role="status">{said.compareHelp(other, version)}</h4>
      {found.same ? <p>{said.compareSame}</p> : <Paths found={found} command={commandOf(list, service, other, version)} />}
    </>
  );
}

function commandOf(list: ListKind, service: string, other: string, version: string): string {
  const command = texts.commands.compare(service, other, version);
  return list === 'CLIENT' ? `${command} --kind client` : command;
}

function Paths({ found, command }: { readonly found: Comparison; readonly command: string }) {
  return (
    <>
      <p>
        {said.compareCounts(found.added, found.removed, found.changed)}<br />
        <span className={css.help}>{said.compareSizes(bytes(found.sizeBytesBefore), bytes(found.sizeBytesAfter))}</span>
      </p>
      <ul className={css.paths} tabIndex={0} aria-label={said.compareCounts(found.added, found.removed, found.changed)}>
        {found.differences.map((one) => <Path key={one.path} difference={one} />)}
      </ul>
      {all(found) > found.differences.length && (
        <p className={css.help}>{said.compareCut(found.differences.length, all(found))} <Command text={command} /></p>
      )}
    </>
  );
}

function Path({ difference }: { readonly difference: Difference }) {
  const { sign, flow, words, detail } = lineOf(difference);
  return (
    <li className={css.path} data-flow={flow} data-path={difference.path}>
      <span className={css.sign} aria-hidden>{sign}</span>
      <span><code>{difference.path}</code> <span className={css.detail}>{words}{detail !== '' && ` · ${detail}`}</span></span>
    </li>
  );
}
