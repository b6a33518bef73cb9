// Which builders are handed the secrets of a service: shown to all, chosen and taken back by administrators.
import { Button } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { WithdrawTrustDocument } from '../api/generated';
import { ShortId } from '../links/Card';
import { AlertIcon } from '../parts/icons';
import { texts } from '../texts';
import css from './builds.module.css';
import { EntrustForm } from './EntrustForm';
import type { Handed } from './handed';
import { Sure } from './Sure';

const said = texts.entrusted;

interface Props {
  readonly service: string;
  readonly handed: Handed;
}

export function EntrustedPart({ service, handed }: Props) {
  const { administers } = useOperator();
  return (
    <section className={css.part} aria-labelledby="entrusted-title" data-entrusted={handed.length}>
      <h3 id="entrusted-title" tabIndex={-1}>{said.title}</h3>
      <p className={css.help}>{said.help}</p>
      {handed.length === 0 ? <p>{said.none}</p> : (
        <>
          <ul className={css.ids}>
            {handed.map(({ id, name }) => <li key={id} className={css.head}><strong>{name === '' ? said.gone : name}</strong><ShortId id={id} /></li>)}
          </ul>
          <p className={css.notice} data-flow="waiting"><AlertIcon size={16} />{said.warn}</p>
        </>
      )}
      {administers ? <Acts service={service} handed={handed} /> : <p className={css.help}>{said.mayNot}</p>}
    </section>
  );
}

function Acts({ service, handed }: Props) {
  const withdraw = useAct(WithdrawTrustDocument);
  const [doing, setDoing] = useState<'nothing' | 'choosing' | 'withdrawing'>('nothing');
  const done = () => {
    setDoing('nothing');
    // What was pressed is gone: whoever uses the keyboard goes on from the heading.
    document.getElementById('entrusted-title')?.focus({ preventScroll: true });
  };
  const takeBack = async () => {
    if ((await withdraw.run({ service })) !== null) done();
  };
  if (doing === 'choosing') return <EntrustForm service={service} handed={handed} onDone={done} />;
  if (doing === 'withdrawing') {
    return (
      <>
        <Sure question={said.withdrawSure} yes={said.withdrawYes} no={said.keep} busy={withdraw.busy}
          onYes={() => void takeBack()} onNo={done} />
        <ActError error={withdraw.error} />
      </>
    );
  }
  return (
    <div className={css.buttons}>
      <Button size="xs" variant="default" onClick={() => { setDoing('choosing'); }}>{handed.length === 0 ? said.set : said.change}</Button>
      {handed.length > 0 && <Button size="xs" variant="default" onClick={() => { setDoing('withdrawing'); }}>{said.withdraw}</Button>}
    </div>
  );
}
