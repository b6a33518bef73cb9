// A key, or keys of hosts: chosen as a file, or pasted. What is secret is never readable here.
import { Input } from '@mantine/core';

import css from '../builds/builds.module.css';
import { NO_CONTENT, type Content } from './credential';
import own from './credentials.module.css';

interface Props {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly pasteLabel: string;
  readonly paste: string;
  readonly secret?: boolean;
  readonly content: Content;
  readonly onChange: (content: Content) => void;
}

export function ContentField({ id, label, hint, pasteLabel, paste, secret = false, content, onChange }: Props) {
  return (
    <div className={css.field}>
      <label htmlFor={id}>{label}</label>
      <span className={css.help} id={`${id}-help`}>{hint}</span>
      <input id={id} type="file" className={css.file} aria-describedby={`${id}-help`}
        onChange={(event) => { onChange({ ...NO_CONTENT, file: event.currentTarget.files?.[0] ?? null }); }} />
      {content.file === null && (
        <Input component="textarea" multiline rows={3} className={own.paste ?? ''} classNames={{ input: secret ? (own.masked ?? '') : (own.text ?? '') }}
          aria-label={pasteLabel} placeholder={paste} value={content.text} spellCheck={false} autoComplete="off" autoCapitalize="off"
          onChange={(event) => { onChange({ text: event.currentTarget.value, file: null }); }} />
      )}
    </div>
  );
}
