// The sentence at the head of the page.
import type { Flow } from '../lane/lane';
import type { Stop, Verdict } from '../lane/verdict';
import { AlertIcon, CheckIcon, ClockIcon } from '../parts/icons';
import { Dot } from '../parts/parts';
import { texts } from '../texts';
import css from './page.module.css';

const said = texts.verdict;
const FLOWS: Record<Verdict['kind'], Flow> = { empty: 'idle', stopped: 'stopped', moving: 'moving', waiting: 'waiting', done: 'done' };
const STOPS_SHOWN = 5;

export function VerdictBar({ verdict }: { readonly verdict: Verdict }) {
  return (
    <div className={css.verdict} data-flow={FLOWS[verdict.kind]} data-verdict={verdict.kind}>
      <Sign kind={verdict.kind} />
      <div>
        <strong>{sentence(verdict)}</strong>
        {verdict.kind === 'stopped' && (
          <ul>{verdict.stops.slice(0, STOPS_SHOWN).map((stop) => <li key={said.stop(stop)}>{said.stop(stop)}</li>)}</ul>
        )}
      </div>
    </div>
  );
}

function Sign({ kind }: { readonly kind: Verdict['kind'] }) {
  if (kind === 'moving') return <span style={{ padding: '5px' }}><Dot flow="moving" pulse /></span>;
  if (kind === 'stopped') return <AlertIcon size={20} />;
  return kind === 'done' ? <CheckIcon size={20} /> : <ClockIcon size={20} />;
}

function stopped(stops: readonly Stop[]): string {
  const withdrawn = stops.filter(({ at }) => at === 'withdrawn').length;
  const other = stops.length - withdrawn;
  return [...(other > 0 ? [said.stopped(other)] : []), ...(withdrawn > 0 ? [said.withdrawn(withdrawn)] : [])].join(' · ');
}

function sentence(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'empty': return said.empty;
    case 'stopped': return stopped(verdict.stops);
    case 'moving': return said.moving(texts.and(verdict.services));
    case 'waiting': return said.waiting(texts.and(verdict.services));
    case 'done': return said.done(verdict.services, verdict.places);
  }
}
