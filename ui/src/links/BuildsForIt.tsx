// Whether builds of a provider run at this node, which calls in there for them.
import { Checkbox } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useAct } from '../acts/useAct';
import { SetProviderBuildsDocument } from '../api/generated';
import { texts } from '../texts';
import css from './links.module.css';

const said = texts.links;

interface Props {
  readonly provider: string;
  readonly builds: boolean;
}

export function BuildsForIt({ provider, builds }: Props) {
  const { run, busy, error } = useAct(SetProviderBuildsDocument);
  // What was clicked is shown at once, until the node has been read again.
  const [wished, setWished] = useState<{ readonly builds: boolean; readonly instead: boolean } | null>(null);
  const shown = wished?.instead === builds ? wished.builds : builds;
  const toggle = async () => {
    if (busy) return;
    setWished({ builds: !shown, instead: builds });
    if ((await run({ provider, builds: !shown })) === null) setWished(null);
  };
  return (
    <fieldset className={css.rights} aria-busy={busy}>
      <legend>{said.here}</legend>
      <Checkbox size="xs" label={said.runBuildsOf(provider)} description={said.runBuildsAbout} checked={shown}
        onChange={() => void toggle()} data-builds="" />
      <ActError error={error} />
    </fieldset>
  );
}
