// What stands before the page: who is not logged in learns how to get a link.
import { Loader } from '@mantine/core';
import type { ReactNode } from 'react';

import { Mark } from '../page/Mark';
import css from '../page/page.module.css';
import { Command } from '../parts/parts';
import { texts } from '../texts';
import type { OutReason, SessionState } from './session';

const said = texts.session;

export function Door({ state }: { readonly state: Exclude<SessionState, { kind: 'in' }> }) {
  return (
    <main className={css.door} data-door={state.kind === 'out' ? state.reason : state.kind}>
      {state.kind === 'checking' ? <Loader aria-label={said.checking} /> : (
        <div className={css.doorBox}>
          <Mark />
          {state.kind === 'away' ? <Away /> : <Out reason={state.reason} />}
        </div>
      )}
    </main>
  );
}

function Away() {
  return <><h1>{said.away}</h1><p>{said.awayMore}</p><Command text={texts.commands.serve} /><Loader size="sm" type="dots" aria-hidden /></>;
}

function Out({ reason }: { readonly reason: OutReason }) {
  return (
    <>
      <h1>{said.title}</h1>
      <Why reason={reason}>{said[reason]}</Why>
      <p>{said.how}</p>
      <Command text={texts.commands.login} />
      <p>{said.then}</p>
    </>
  );
}

function Why({ reason, children }: { readonly reason: OutReason; readonly children: ReactNode }) {
  if (reason === 'never') return <p>{children}</p>;
  return <p role="alert" className={css.doorWhy} data-flow={reason === 'left' ? 'done' : 'waiting'}>{children}</p>;
}
