// The private files of a service: which there are, and for administrators their change. What is in them is never shown.
import { Button } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { RemovePrivateFileDocument, type ServiceSettingsQuery } from '../api/generated';
import css from '../builds/builds.module.css';
import { Sure } from '../builds/Sure';
import { bytes } from '../format/bytes';
import { Ago } from '../parts/Ago';
import { texts } from '../texts';
import { FileForm } from './FileForm';

const said = texts.privateFiles;
export type PrivateFile = ServiceSettingsQuery['privateFiles'][number];

type Doing =
  | { readonly kind: 'nothing'; readonly told: string }
  | { readonly kind: 'adding' }
  | { readonly kind: 'replacing' | 'removing'; readonly name: string };

interface Props {
  readonly service: string;
  readonly files: readonly PrivateFile[];
}

export function PrivateFilesPart({ service, files }: Props) {
  const { administers } = useOperator();
  const [doing, setDoing] = useState<Doing>({ kind: 'nothing', told: '' });
  const done = (told: string) => {
    setDoing({ kind: 'nothing', told });
    // What was pressed is gone: whoever uses the keyboard goes on from the heading.
    document.getElementById('private-title')?.focus({ preventScroll: true });
  };
  return (
    <section className={css.part} aria-labelledby="private-title">
      <h3 id="private-title" tabIndex={-1}>{said.title}</h3>
      <p className={css.help}>{said.help}</p>
      {files.length === 0 ? <p>{said.none}</p> : (
        <ul className={css.list}>
          {files.map((file) => (
            <FileCard key={file.name} service={service} file={file} files={files} doing={doing} onDoing={setDoing} onDone={done} />
          ))}
        </ul>
      )}
      <p role="status" className={css.help}>{doing.kind === 'nothing' && doing.told}</p>
      {!administers && <p className={css.help}>{said.mayNot}</p>}
      {administers && doing.kind === 'adding' && <FileForm service={service} replaced={null} files={files} onDone={done} />}
      {administers && doing.kind === 'nothing' && (
        <Button size="xs" variant="default" onClick={() => { setDoing({ kind: 'adding' }); }}>{said.add}</Button>
      )}
    </section>
  );
}

interface CardProps extends Props {
  readonly file: PrivateFile;
  readonly doing: Doing;
  readonly onDoing: (doing: Doing) => void;
  readonly onDone: (told: string) => void;
}

function FileCard({ service, file, files, doing, onDoing, onDone }: CardProps) {
  const { administers } = useOperator();
  const here = (doing.kind === 'replacing' || doing.kind === 'removing') && doing.name === file.name ? doing.kind : null;
  return (
    <li className={css.card} data-private-file={file.name}>
      <div className={css.head}>
        <strong>{file.name}</strong>
        {administers && here === null && (
          <span className={css.end}>
            <Button size="compact-xs" variant="default" aria-label={said.replaceOf(file.name)}
              onClick={() => { onDoing({ kind: 'replacing', name: file.name }); }}>{said.replace}</Button>
            <Button size="compact-xs" variant="default" aria-label={said.removeOf(file.name)}
              onClick={() => { onDoing({ kind: 'removing', name: file.name }); }}>{said.remove}</Button>
          </span>
        )}
      </div>
      <p className={css.help}>
        {file.into === null ? said.byRecipe : said.into(file.into)}<br />
        {said.put(bytes(file.size), file.by)}, <Ago at={file.at} />
      </p>
      {here === 'removing' && <Removing service={service} name={file.name} onDone={onDone} />}
      {here === 'replacing' && <FileForm service={service} replaced={file} files={files} onDone={onDone} />}
    </li>
  );
}

function Removing({ service, name, onDone }: { readonly service: string; readonly name: string; readonly onDone: (told: string) => void }) {
  const { run, busy, error } = useAct(RemovePrivateFileDocument);
  const remove = async () => {
    if ((await run({ service, name })) !== null) onDone(said.removed(name));
  };
  return (
    <>
      <Sure question={said.removeSure(name)} yes={said.removeYes} no={said.keep} busy={busy}
        onYes={() => void remove()} onNo={() => { onDone(''); }} />
      <ActError error={error} />
    </>
  );
}
