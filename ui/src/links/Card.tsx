// What the cards of providers, consumers and instances have in common.
import type { ReactNode } from 'react';

import { shortId } from '../format/version';
import type { Flow } from '../lane/lane';
import { Ago } from '../parts/Ago';
import { CopyButton } from '../parts/Copy';
import { Dot, Facts } from '../parts/parts';
import { texts } from '../texts';
import css from './links.module.css';

const said = texts.links;

interface CardProps {
  readonly name: string;
  readonly flow: Flow;
  readonly state: string;
  /** What went wrong, a sentence each. */
  readonly errors?: readonly string[];
  readonly rows: readonly (readonly [string, ReactNode])[];
  /** The head's end: what may be done. */
  readonly children?: ReactNode;
}

export function Card({ name, flow, state, errors = [], rows, children }: CardProps) {
  return (
    <li className={css.card} data-link={name}>
      <div className={css.head} data-flow={flow}>
        <Dot flow={flow} /><strong>{name}</strong><span className={css.state}>{state}</span>
      </div>
      {errors.map((error) => <p key={error} className={css.error}>{error}</p>)}
      <Facts rows={rows} />
      {children}
    </li>
  );
}

export function connection(connected: boolean): { flow: Flow; state: string } {
  return connected ? { flow: 'done', state: said.connected } : { flow: 'waiting', state: said.disconnected };
}

export function ShortId({ id }: { readonly id: string }) {
  return <span className={css.id} title={id}>{shortId(id)}<CopyButton text={id} label={texts.header.copyId} /></span>;
}

export function Seen({ at }: { readonly at: string | null }) {
  return at === null ? said.neverSeen : <Ago at={at} />;
}
