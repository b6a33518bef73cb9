// Puts a private file, or another content in place of one. The file is read when it is sent and kept nowhere here.
import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useAct } from '../acts/useAct';
import { PutPrivateFileDocument } from '../api/generated';
import css from '../builds/builds.module.css';
import { bytes } from '../format/bytes';
import { texts } from '../texts';
import { MOST_BYTES, encoded, refusal } from './content';
import type { PrivateFile } from './PrivateFilesPart';

const said = texts.privateFiles;

interface Props {
  readonly service: string;
  /** `null`: a new one, whose name is chosen here. */
  readonly replaced: PrivateFile | null;
  readonly files: readonly PrivateFile[];
  /** With what is to be told; empty: nothing was done. */
  readonly onDone: (told: string) => void;
}

export function FileForm({ service, replaced, files, onDone }: Props) {
  const { run, busy, error } = useAct(PutPrivateFileDocument);
  const [file, setFile] = useState<File | null>(null);
  const [named, setNamed] = useState('');
  const [into, setInto] = useState('');
  const [unreadable, setUnreadable] = useState(false);
  const name = replaced === null ? named.trim() : replaced.name;
  const present = replaced ?? files.find((one) => one.name === name) ?? null;
  const problem = file === null ? '' : unreadable ? said.unreadable : refusal(file.size);
  const ready = file !== null && name !== '' && problem === '';
  const choose = (chosen: File | null) => {
    setFile(chosen);
    setUnreadable(false);
    if (named === '' && chosen !== null) setNamed(chosen.name);
  };
  const save = async (chosen: File) => {
    let content: string;
    try {
      content = encoded(new Uint8Array(await chosen.arrayBuffer()));
    } catch {
      setUnreadable(true);
      return;
    }
    const place = into.trim();
    if ((await run({ service, name, content, into: place === '' ? null : place })) !== null) onDone(said.kept(name));
  };
  return (
    <form className={css.form} data-put onSubmit={(event) => {
      event.preventDefault();
      if (ready && !busy) void save(file);
    }}>
      <div className={css.field}>
        <label htmlFor="private-content">{said.file}</label>
        <span className={css.help} id="private-content-help">{said.fileHint(bytes(MOST_BYTES))}</span>
        <input id="private-content" type="file" className={css.file} autoFocus aria-describedby="private-content-help"
          onChange={(event) => { choose(event.currentTarget.files?.[0] ?? null); }} />
      </div>
      {replaced === null && (
        <>
          <TextInput label={said.name} description={said.nameHint} value={named} maxLength={200} autoComplete="off"
            onChange={(event) => { setNamed(event.currentTarget.value); }} />
          <TextInput label={said.place} description={said.placeHint} value={into} autoComplete="off"
            onChange={(event) => { setInto(event.currentTarget.value); }} />
        </>
      )}
      {present !== null && <Present replaced={replaced} present={present} />}
      <ActError error={problem === '' ? error : problem} />
      <div className={css.buttons}>
        <Button type="submit" size="sm" loading={busy} disabled={!ready}>{present === null ? said.save : said.saveReplace}</Button>
        <Button size="sm" variant="default" onClick={() => { onDone(''); }}>{said.cancel}</Button>
      </div>
    </form>
  );
}

function Present({ replaced, present }: { readonly replaced: PrivateFile | null; readonly present: PrivateFile }) {
  if (replaced !== null) return <p className={css.help}>{said.placeKept(replaced.into)}</p>;
  return <p className={css.notice} data-flow="waiting" role="status">{said.takesPlace(present.name)}</p>;
}
