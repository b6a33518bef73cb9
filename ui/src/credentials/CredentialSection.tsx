// What the node keeps to open the repositories of Git servers: for administrators alone, who put and remove it here.
import { Button, Skeleton } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { CredentialsDocument, RemoveCredentialDocument } from '../api/generated';
import { Sure } from '../builds/Sure';
import { useAnswer } from '../live/useAnswer';
import { Ago } from '../parts/Ago';
import { Empty, Section } from '../parts/parts';
import { texts } from '../texts';
import type { Credential } from './credential';
import { CredentialForm } from './CredentialForm';
import css from './credentials.module.css';

const said = texts.credentials;

type Doing =
  | { readonly kind: 'nothing'; readonly told: string }
  | { readonly kind: 'adding' }
  | { readonly kind: 'replacing' | 'removing'; readonly prefix: string };

/** `stamp`: another number when they have to be read again. */
export function CredentialSection({ stamp }: { readonly stamp: number }) {
  const { transport } = useOperator();
  const answer = useAnswer(transport, CredentialsDocument, {}, stamp);
  return (
    <Section id="credentials" title={said.title} help={said.help}>
      {answer.kind === 'waiting' && <Skeleton height={60} radius="lg" aria-label={said.loading} />}
      {answer.kind === 'failed' && <p role="alert">{answer.error.message}</p>}
      {answer.kind === 'here' && <Credentials kept={answer.data.credentials} />}
    </Section>
  );
}

function Credentials({ kept }: { readonly kept: readonly Credential[] }) {
  const [doing, setDoing] = useState<Doing>({ kind: 'nothing', told: '' });
  const done = (told: string) => {
    setDoing({ kind: 'nothing', told });
    // What was pressed is gone: whoever uses the keyboard goes on from the heading.
    document.getElementById('credentials-title')?.focus({ preventScroll: true });
  };
  return (
    <>
      {kept.length === 0 ? <Empty>{said.none}</Empty> : (
        <ul className={css.list}>
          {kept.map((one) => <Row key={one.prefix} credential={one} kept={kept} doing={doing} onDoing={setDoing} onDone={done} />)}
        </ul>
      )}
      <p role="status" className={css.status}>{doing.kind === 'nothing' && doing.told}</p>
      {doing.kind === 'adding' && <CredentialForm replaced={null} kept={kept} onDone={done} />}
      {doing.kind === 'nothing' && (
        <div><Button size="xs" variant="default" onClick={() => { setDoing({ kind: 'adding' }); }}>{said.add}</Button></div>
      )}
    </>
  );
}

interface RowProps {
  readonly credential: Credential;
  readonly kept: readonly Credential[];
  readonly doing: Doing;
  readonly onDoing: (doing: Doing) => void;
  readonly onDone: (told: string) => void;
}

function Row({ credential, kept, doing, onDoing, onDone }: RowProps) {
  const { prefix, kind, user, knownHosts, at, by, fingerprint } = credential;
  const here = (doing.kind === 'replacing' || doing.kind === 'removing') && doing.prefix === prefix ? doing.kind : null;
  return (
    <li className={css.row} data-credential={prefix}>
      <span className={css.about}>
        <code>{prefix}</code>
        <span className={css.detail}>{said.kind(kind, user)}{kind === 'KEY' && `, ${said.hosts(knownHosts)}`}</span>
      </span>
      <span className={css.about}><span className={css.detail}>{said.fingerprint}</span><span className={`${css.print ?? ''} mono`}>{fingerprint}</span></span>
      <span className={css.detail}>{said.put(by)}, <Ago at={at} /></span>
      <span className={css.end}>
        {here === null && (
          <>
            <Button size="compact-xs" variant="default" aria-label={said.replaceOf(prefix)}
              onClick={() => { onDoing({ kind: 'replacing', prefix }); }}>{said.replace}</Button>
            <Button size="compact-xs" variant="default" aria-label={said.removeOf(prefix)}
              onClick={() => { onDoing({ kind: 'removing', prefix }); }}>{said.remove}</Button>
          </>
        )}
      </span>
      {here === 'removing' && <Removing prefix={prefix} onDone={onDone} />}
      {here === 'replacing' && <CredentialForm replaced={credential} kept={kept} onDone={onDone} />}
    </li>
  );
}

function Removing({ prefix, onDone }: { readonly prefix: string; readonly onDone: (told: string) => void }) {
  const { run, busy, error } = useAct(RemoveCredentialDocument);
  const remove = async () => {
    if ((await run({ prefix })) !== null) onDone(said.removed(prefix));
  };
  return (
    <>
      <Sure question={said.removeSure(prefix)} yes={said.removeYes} no={said.keep} busy={busy}
        onYes={() => void remove()} onNo={() => { onDone(''); }} />
      <ActError error={error} />
    </>
  );
}
