// Sets the rule on the builders of a service: which nodes count, and how many of them must agree.
import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useAct } from '../acts/useAct';
import { RequireBuildersDocument } from '../api/generated';
import { shortId } from '../format/version';
import { texts } from '../texts';
import type { Policy } from './agreement';
import css from './builds.module.css';
import { nodeId, requirable, type Candidate } from './policy';

const said = texts.builds;

interface Props {
  readonly service: string;
  readonly policy: Policy | null;
  readonly known: readonly Candidate[];
  readonly onDone: () => void;
}

export function PolicyForm({ service, policy, known, onDone }: Props) {
  const { run, busy, error } = useAct(RequireBuildersDocument);
  const [chosen, setChosen] = useState<readonly string[]>(policy?.builders ?? []);
  const [wished, setWished] = useState(policy?.require ?? 2);
  const [other, setOther] = useState('');
  const added = nodeId(other);
  const builders = added === null || chosen.includes(added) ? chosen : [...chosen, added];
  const require = requirable(wished, builders.length);
  const ready = builders.length > 0 && (other.trim() === '' || added !== null);
  const toggle = (id: string) => { setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]); };
  const save = async () => {
    if ((await run({ service, builders, require })) !== null) onDone();
  };
  return (
    <form className={css.form} onSubmit={(event) => {
      event.preventDefault();
      if (ready && !busy) void save();
    }}>
      <Checkbox.Group label={said.policyWho} value={[...chosen]}>
        <div className={css.choices}>
          {known.map(({ id, name }, index) => (
            <Checkbox key={id} value={id} label={name} description={shortId(id)} autoFocus={index === 0} onChange={() => { toggle(id); }} />
          ))}
        </div>
      </Checkbox.Group>
      <TextInput label={said.policyOther} description={said.policyOtherHint} value={other}
        onChange={(event) => { setOther(event.currentTarget.value); }} />
      <NativeSelect label={said.policyRequire} value={String(require)} disabled={builders.length === 0}
        data={Array.from({ length: Math.max(1, builders.length) }, (_, index) => String(index + 1))}
        onChange={(event) => { setWished(Number(event.currentTarget.value)); }} />
      <p className={css.help}>{said.policyWarn}</p>
      <ActError error={error} />
      <div className={css.buttons}>
        <Button type="submit" size="sm" loading={busy} disabled={!ready}>{said.policySave}</Button>
        <Button size="sm" variant="default" onClick={onDone}>{texts.versions.cancel}</Button>
      </div>
    </form>
  );
}
