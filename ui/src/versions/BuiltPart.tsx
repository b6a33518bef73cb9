// Who built a version: each builder's signed word, whether the same image came out, and what differs if not.
import { Button, Loader } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { BuiltDocument, RebuildDocument, type ListKind } from '../api/generated';
import type { Transport } from '../api/transport';
import { AGREEMENT_FLOWS, DIFFERENCES_SHOWN, agreeing, agreementOf, lasted, type Agreement, type Built, type Policy } from '../builds/agreement';
import css from '../builds/builds.module.css';
import { HERE, onOf } from '../builds/where';
import { WhereChoice } from '../builds/WhereChoice';
import { span } from '../format/time';
import { baseOf } from '../format/version';
import { ShortId } from '../links/Card';
import { useAnswer } from '../live/useAnswer';
import { goTo, toTask } from '../page/place';
import { Ago } from '../parts/Ago';
import { AlertIcon, CheckIcon, ClockIcon } from '../parts/icons';
import { Facts } from '../parts/parts';
import { texts } from '../texts';
import { Commits } from './Commits';

const said = texts.versions;

interface Props {
  readonly service: string;
  readonly version: string;
  readonly list: ListKind;
  /** Whether it is here whole: only then it can be built again. */
  readonly stored: boolean;
  readonly builds: number;
  readonly transport: Transport;
}

export function BuiltPart({ service, version, list, stored, builds, transport }: Props) {
  const base = list === 'CLIENT' ? baseOf(version) : version;
  const answer = useAnswer(transport, BuiltDocument, { service, version: base }, builds);
  return (
    <section className={css.part} aria-labelledby="built-title">
      <h3 id="built-title" tabIndex={-1}>{list === 'CLIENT' ? said.builtBase(base) : said.built}</h3>
      <p className={css.help}>{said.builtHelp}</p>
      {answer.kind === 'waiting' && <Loader size="sm" aria-label={said.loading} />}
      {answer.kind === 'failed' && <p role="alert">{answer.error.message}</p>}
      {answer.kind === 'here' && (
        <Builders built={answer.data.provenance} policy={answer.data.builderPolicies.find((one) => one.service === service) ?? null} />
      )}
      {stored && list === 'DEVELOPER' && <Again service={service} version={version} />}
    </section>
  );
}

function Builders({ built, policy }: { readonly built: readonly Built[]; readonly policy: Policy | null }) {
  return (
    <>
      {policy !== null && <Rule policy={policy} met={agreeing(policy, built)} />}
      {built.length === 0 ? <p>{said.builtNone}</p> : (
        <ul className={css.list}>{built.map((one) => <Builder key={one.builder} built={one} policy={policy} />)}</ul>
      )}
    </>
  );
}

function Rule({ policy, met }: { readonly policy: Policy; readonly met: number }) {
  const enough = met >= policy.require;
  return (
    <p className={css.notice} data-flow={enough ? 'done' : 'waiting'} data-rule={enough ? 'met' : 'open'}>
      {enough ? <CheckIcon size={16} /> : <ClockIcon size={16} />}{texts.builds.policyTold(met, policy.require)}
    </p>
  );
}

const ICONS: Record<Agreement, typeof CheckIcon> = { same: CheckIcon, other: AlertIcon, unknown: ClockIcon };

function Builder({ built, policy }: { readonly built: Built; readonly policy: Policy | null }) {
  const agreement = agreementOf(built);
  const flow = AGREEMENT_FLOWS[agreement];
  const Sign = ICONS[agreement];
  return (
    <li className={css.card} data-flow={flow} data-built-by={built.node} data-agreement={agreement}>
      <div className={css.head}>
        <strong>{built.node}</strong><ShortId id={built.builder} />
        <span className={css.judged}><Sign size={14} />{said.agreement[agreement]}</span>
      </div>
      <Facts rows={[
        [said.how, said.walls(built.walls, built.network)],
        [said.when, <span key="when"><Ago at={built.finished} />, {said.lasted(span(lasted(built)))}</span>],
        [said.commits, <Commits key="commits" sources={built.sources} />],
        [said.program, built.program],
        [said.rule, policy === null ? null : policy.builders.includes(built.builder) ? said.counts : said.countsNot],
      ]} />
      {agreement === 'other' && <Differences lines={built.difference} />}
    </li>
  );
}

function Differences({ lines }: { readonly lines: readonly string[] }) {
  if (lines.length === 0) return <p className={css.differs}>{said.notNamed}</p>;
  const more = lines.length - DIFFERENCES_SHOWN;
  return (
    <details className={css.differs} open={lines.length <= DIFFERENCES_SHOWN}>
      <summary>{said.differences(lines.length)}</summary>
      <ul>{lines.slice(0, DIFFERENCES_SHOWN).map((line) => <li key={line}>{line}</li>)}</ul>
      {more > 0 && <details><summary>{said.moreDifferences(more)}</summary><ul>{lines.slice(DIFFERENCES_SHOWN).map((line) => <li key={line}>{line}</li>)}</ul></details>}
    </details>
  );
}

function Again({ service, version }: { readonly service: string; readonly version: string }) {
  const { develops } = useOperator();
  const [open, setOpen] = useState(false);
  const close = () => {
    setOpen(false);
    // What was pressed is gone: whoever uses the keyboard goes on from the heading.
    document.getElementById('built-title')?.focus({ preventScroll: true });
  };
  if (!develops) return <p className={css.help}>{said.mayNot}</p>;
  if (!open) return <Button size="xs" variant="default" onClick={() => { setOpen(true); }}>{said.again}</Button>;
  return <AgainForm service={service} version={version} onCancel={close} />;
}

interface AgainProps {
  readonly service: string;
  readonly version: string;
  readonly onCancel: () => void;
}

function AgainForm({ service, version, onCancel }: AgainProps) {
  const { run, busy, error } = useAct(RebuildDocument);
  const [where, setWhere] = useState(HERE);
  const begin = async () => {
    const begun = await run({ service, version, on: onOf(where) });
    if (begun !== null) goTo(toTask(begun.rebuild.id));
  };
  return (
    <form className={css.form} data-again onSubmit={(event) => {
      event.preventDefault();
      if (!busy) void begin();
    }}>
      <p className={css.help}>{said.againHelp}</p>
      <WhereChoice label={said.againWhere} autoFocus value={where} onChoose={setWhere} />
      <ActError error={error} />
      <div className={css.buttons}>
        <Button type="submit" size="sm" loading={busy}>{said.againStart}</Button>
        <Button size="sm" variant="default" onClick={onCancel}>{said.cancel}</Button>
      </div>
    </form>
  );
}
