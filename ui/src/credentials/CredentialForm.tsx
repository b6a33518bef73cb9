// Puts a credential for a Git server, or another secret in place of one. What is secret leaves the form as it is sent.
import { Button, Radio, TextInput } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useAct } from '../acts/useAct';
import { PutCredentialDocument, type CredentialKind } from '../api/generated';
import css from '../builds/builds.module.css';
import { texts } from '../texts';
import { ContentField } from './ContentField';
import {
  NO_CONTENT, PREFIX_CHARS, USER_CHARS, contentProblem, contentSent, isGiven, passwordSent, prefixProblem, replacedBy,
  type Content, type Credential,
} from './credential';
import own from './credentials.module.css';

const said = texts.credentials;

interface Props {
  /** `null`: a new one, whose prefix is chosen here. */
  readonly replaced: Credential | null;
  readonly kept: readonly Credential[];
  /** With what is to be told; empty: nothing was done. */
  readonly onDone: (told: string) => void;
}

export function CredentialForm({ replaced, kept, onDone }: Props) {
  const { run, busy, error } = useAct(PutCredentialDocument);
  const [kind, setKind] = useState<CredentialKind>(replaced?.kind ?? 'PASSWORD');
  const [typed, setTyped] = useState(replaced?.prefix ?? '');
  const [user, setUser] = useState(replaced?.user ?? '');
  const [token, setToken] = useState('');
  const [key, setKey] = useState<Content>(NO_CONTENT);
  const [hosts, setHosts] = useState<Content>(NO_CONTENT);
  const [sent, setSent] = useState(0);
  const [unreadable, setUnreadable] = useState(false);
  const prefix = typed.trim();
  const wrong = prefixProblem(kind, prefix);
  const problem = unreadable ? said.unreadable : kind === 'KEY' ? contentProblem(key) || contentProblem(hosts) : contentProblem({ text: token, file: null });
  const present = replaced === null && wrong === '' ? replacedBy(prefix, kept) : null;
  const ready = prefix !== '' && wrong === '' && problem === '' && (kind === 'KEY' ? isGiven(key) : user.trim() !== '' && token !== '');

  const forget = () => {
    setToken('');
    setKey(NO_CONTENT);
    // A file input forgets its file only by becoming another one.
    setSent((before) => before + 1);
  };
  const content = async () => {
    if (kind === 'PASSWORD') return { secret: passwordSent(token), user: user.trim(), knownHosts: '' };
    return { secret: await contentSent(key), user: '', knownHosts: await contentSent(hosts) };
  };
  const save = async () => {
    let given: Awaited<ReturnType<typeof content>>;
    try {
      given = await content();
    } catch {
      setUnreadable(true);
      return;
    }
    forget();
    if ((await run({ prefix, ...given })) !== null) onDone(said.kept(prefix));
  };
  return (
    <form className={`${css.form ?? ''} ${own.form ?? ''}`} data-credential-form autoComplete="off" onSubmit={(event) => {
      event.preventDefault();
      if (ready && !busy) void save();
    }}>
      {replaced === null && (
        <>
          <Way kind={kind} onChoose={(chosen) => { setKind(chosen); forget(); }} />
          <TextInput label={said.prefix} description={said.prefixHints[kind]} value={typed} maxLength={PREFIX_CHARS} error={wrong}
            autoComplete="off" spellCheck={false} onChange={(event) => { setTyped(event.currentTarget.value); }} />
        </>
      )}
      {kind === 'PASSWORD' ? (
        <>
          <TextInput label={said.user} description={said.userHint} value={user} maxLength={USER_CHARS} autoComplete="off" spellCheck={false}
            onChange={(event) => { setUser(event.currentTarget.value); }} />
          <TextInput type="password" label={said.token} description={said.tokenHint} value={token} autoComplete="new-password" autoFocus={replaced !== null}
            onChange={(event) => { setToken(event.currentTarget.value); }} />
        </>
      ) : (
        <>
          <ContentField key={`key-${sent}`} id="credential-key" label={said.key} hint={said.keyHint} pasteLabel={said.keyText} paste={said.keyPaste} secret content={key}
            onChange={(given) => { setKey(given); setUnreadable(false); }} />
          <ContentField id="credential-hosts" label={said.knownHosts} hint={said.knownHostsHint} pasteLabel={said.knownHostsText} paste={said.knownHostsPaste} content={hosts}
            onChange={(given) => { setHosts(given); setUnreadable(false); }} />
        </>
      )}
      {present !== null && <p className={css.notice} data-flow="waiting" role="status">{said.takesPlace(present.prefix)}</p>}
      <ActError error={problem === '' ? error : problem} />
      {error !== '' && !busy && !ready && <p className={css.help}>{said.again}</p>}
      <div className={css.buttons}>
        <Button type="submit" size="sm" loading={busy} disabled={!ready}>{replaced === null && present === null ? said.save : said.saveReplace}</Button>
        <Button size="sm" variant="default" onClick={() => { onDone(''); }}>{said.cancel}</Button>
      </div>
    </form>
  );
}

const WAYS: readonly CredentialKind[] = ['PASSWORD', 'KEY'];

function Way({ kind, onChoose }: { readonly kind: CredentialKind; readonly onChoose: (kind: CredentialKind) => void }) {
  const choose = (value: string) => {
    const chosen = WAYS.find((one) => one === value);
    if (chosen !== undefined) onChoose(chosen);
  };
  return (
    <Radio.Group label={said.way} value={kind} onChange={choose}>
      <div className={css.choices}>
        {WAYS.map((way, index) => <Radio key={way} value={way} label={said.ways[way]} autoFocus={index === 0} />)}
      </div>
    </Radio.Group>
  );
}
