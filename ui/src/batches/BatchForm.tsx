// Chooses the services of a batch, and begins a task for each.
import { Button, Checkbox, Radio } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { ClientBuildAllDocument, ClientBuildDocument } from '../api/generated';
import css from '../builds/builds.module.css';
import { texts } from '../texts';
import { beginEach, type Begun } from './batch';
import own from './batches.module.css';

const said = texts.batches;

interface Props {
  readonly names: readonly string[];
  readonly onBegun: (batch: readonly Begun[]) => void;
  readonly onCancel: () => void;
}

export function BatchForm({ names, onBegun, onCancel }: Props) {
  const { transport } = useOperator();
  const all = useAct(ClientBuildAllDocument);
  const [which, setWhich] = useState('all');
  const [ticked, setTicked] = useState<readonly string[]>([]);
  const [beginning, setBeginning] = useState(false);
  const busy = all.busy || beginning;
  // What was ticked may be gone in the meantime.
  const chosen = names.filter((name) => ticked.includes(name));
  const ready = which === 'all' || chosen.length > 0;
  const begin = async () => {
    if (which === 'all') {
      const begun = await all.run({});
      if (begun !== null) onBegun(begun.clientBuildAll.map(({ id, service }) => ({ service: service ?? '', task: id, error: '' })));
      return;
    }
    setBeginning(true);
    onBegun(await beginEach(chosen, async (service) => (await transport.mutate(ClientBuildDocument, { service })).clientBuild.id));
  };
  return (
    <form className={`${css.form ?? ''} ${own.form ?? ''}`} data-batch-form aria-labelledby="batch-title" onSubmit={(event) => {
      event.preventDefault();
      if (ready && !busy) void begin();
    }}>
      <div><h3 id="batch-title" className={own.title}>{said.title}</h3><p className={css.help}>{said.help}</p></div>
      <Radio.Group label={said.which} value={which} onChange={setWhich}>
        <div className={css.choices}>
          <Radio value="all" label={said.all} autoFocus />
          <Radio value="some" label={said.some} />
        </div>
      </Radio.Group>
      {which === 'some' && (
        <Checkbox.Group aria-label={said.some} value={[...chosen]} onChange={setTicked}>
          <div className={own.names}>{names.map((name) => <Checkbox key={name} value={name} label={name} />)}</div>
        </Checkbox.Group>
      )}
      <ActError error={all.error} />
      <div className={css.buttons}>
        <Button type="submit" size="sm" loading={busy} disabled={!ready}>{said.start}</Button>
        <Button size="sm" variant="default" onClick={onCancel}>{said.cancel}</Button>
      </div>
    </form>
  );
}
