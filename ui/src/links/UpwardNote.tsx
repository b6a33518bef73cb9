// What waits to be sent up to a provider, and why it has not gone yet.
import { Ago } from '../parts/Ago';
import { Ahead } from '../parts/Ahead';
import { texts } from '../texts';
import css from './links.module.css';
import type { Upward } from './standing';

const said = texts.links;

export function UpwardNote({ upward }: { readonly upward: Upward }) {
  const { waiting, oldest, error, due, refused, refusal } = upward;
  return (
    <div className={css.part} data-upward={waiting}>
      <h4>{said.upward}</h4>
      <p data-flow={error === '' ? 'moving' : 'waiting'} className={css.upward}>
        {said.upwardWaiting(waiting)}
        {oldest !== null && <>, {said.upwardOldest} <Ago at={oldest} /></>}
        {due !== null && <>; {said.upwardAgain} <Ahead at={due} /></>}
      </p>
      {error !== '' && <p className={css.why} data-flow="waiting">{error}</p>}
      {refused > 0 && <p className={css.why} data-flow="stopped">{said.upwardRefused(refused)}{refusal === '' ? '' : `: ${refusal}`}</p>}
    </div>
  );
}
