// The rule on the builders of a service: shown to all, set and removed by administrators.
import { Button } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { FreeBuildersDocument } from '../api/generated';
import { ShortId } from '../links/Card';
import { texts } from '../texts';
import type { Policy } from './agreement';
import css from './builds.module.css';
import { nameOfBuilder, type Candidate } from './policy';
import { PolicyForm } from './PolicyForm';
import { Sure } from './Sure';

const said = texts.builds;

interface Props {
  readonly service: string;
  readonly policy: Policy | null;
  readonly known: readonly Candidate[];
}

export function PolicyPart({ service, policy, known }: Props) {
  const { administers } = useOperator();
  return (
    <section className={css.part} aria-labelledby="policy-title">
      <h3 id="policy-title" tabIndex={-1}>{said.policy}</h3>
      <p className={css.help}>{said.policyHelp}</p>
      {policy === null ? <p data-policy="none">{said.policyNone}</p> : <Rule policy={policy} known={known} />}
      {administers ? <Acts service={service} policy={policy} known={known} /> : <p className={css.help}>{said.policyMayNot}</p>}
    </section>
  );
}

function Rule({ policy, known }: { readonly policy: Policy; readonly known: readonly Candidate[] }) {
  return (
    <div className={css.part} data-policy={policy.require}>
      <p>{said.policyIs(policy.require, policy.builders.length)}</p>
      <ul className={css.ids}>
        {policy.builders.map((id) => <li key={id} className={css.head}><strong>{nameOfBuilder(id, known)}</strong><ShortId id={id} /></li>)}
      </ul>
    </div>
  );
}

function Acts({ service, policy, known }: Props) {
  const free = useAct(FreeBuildersDocument);
  const [doing, setDoing] = useState<'nothing' | 'setting' | 'removing'>('nothing');
  const done = () => {
    setDoing('nothing');
    // What was pressed is gone: whoever uses the keyboard goes on from the heading.
    document.getElementById('policy-title')?.focus({ preventScroll: true });
  };
  const remove = async () => {
    if ((await free.run({ service })) !== null) done();
  };
  if (doing === 'setting') return <PolicyForm service={service} policy={policy} known={known} onDone={done} />;
  if (doing === 'removing') {
    return (
      <>
        <Sure question={said.policyRemoveSure} yes={said.policyRemoveYes} no={said.keep} busy={free.busy}
          onYes={() => void remove()} onNo={done} />
        <ActError error={free.error} />
      </>
    );
  }
  return (
    <div className={css.buttons}>
      <Button size="xs" variant="default" onClick={() => { setDoing('setting'); }}>{policy === null ? said.policySet : said.policyChange}</Button>
      {policy !== null && <Button size="xs" variant="default" onClick={() => { setDoing('removing'); }}>{said.policyRemove}</Button>}
    </div>
  );
}
