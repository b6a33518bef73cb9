// Chooses the builders that are handed the secrets of a service, among the peers that could build for this node.
import { Button, Checkbox, Loader } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { BuildersDocument, EntrustDocument } from '../api/generated';
import { useAnswer } from '../live/useAnswer';
import { AlertIcon } from '../parts/icons';
import { texts } from '../texts';
import css from './builds.module.css';
import { MOST_NAMED, drops, nameable, type Handed } from './handed';

const said = texts.entrusted;

interface Props {
  readonly service: string;
  readonly handed: Handed;
  readonly onDone: () => void;
}

export function EntrustForm({ service, handed, onDone }: Props) {
  const { transport } = useOperator();
  const { run, busy, error } = useAct(EntrustDocument);
  const answer = useAnswer(transport, BuildersDocument, {});
  const [chosen, setChosen] = useState<readonly string[]>(handed.map(({ name }) => name).filter((name) => name !== ''));
  const names = nameable(answer.kind === 'here' ? answer.data.builders : [], handed);
  const ready = chosen.length > 0 && chosen.length <= MOST_NAMED;
  const save = async () => {
    if ((await run({ service, peers: [...chosen] })) !== null) onDone();
  };
  return (
    <form className={css.form} data-entrust onSubmit={(event) => {
      event.preventDefault();
      if (ready && !busy) void save();
    }}>
      {names.length > 0 && (
        <Checkbox.Group label={said.who} value={[...chosen]} onChange={setChosen}>
          <div className={css.choices}>{names.map((name, index) => <Checkbox key={name} value={name} label={name} autoFocus={index === 0} />)}</div>
        </Checkbox.Group>
      )}
      <span role="status" className={css.help}>
        {answer.kind === 'waiting' && <><Loader size={12} aria-hidden /> {said.asking}</>}
        {answer.kind === 'failed' && <span className={css.standing} data-flow="stopped">{said.failed(answer.error.message)}</span>}
        {answer.kind === 'here' && names.length === 0 && said.noPeers}
      </span>
      {/* Where somebody is named already, it stands right above. */}
      {handed.length === 0 && <p className={css.notice} data-flow="waiting"><AlertIcon size={16} />{said.warn}</p>}
      {drops(handed) && <p className={css.help}>{said.dropped}</p>}
      <ActError error={error} />
      <div className={css.buttons}>
        <Button type="submit" size="sm" loading={busy} disabled={!ready}>{said.save}</Button>
        <Button size="sm" variant="default" onClick={onDone}>{said.cancel}</Button>
      </div>
    </form>
  );
}
