// Starts a build of a service that is built here, at this node or at a peer. Its log opens as its task begins.
import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { BuildDocument } from '../api/generated';
import type { Service } from '../lane/lane';
import { goTo, toTask } from '../page/place';
import { texts } from '../texts';
import css from './builds.module.css';
import { HERE, onOf } from './where';
import { WhereChoice } from './WhereChoice';

const said = texts.builds;

export function BuildPart({ service }: { readonly service: Service }) {
  const { develops } = useOperator();
  return (
    <section className={css.part} aria-labelledby="build-title">
      <h3 id="build-title">{said.build}</h3>
      {!service.developed ? <p className={css.help}>{said.notHere(service.provider)}</p> : (
        <>
          <p className={css.help}>{said.buildHelp}</p>
          {develops ? <BuildForm service={service.name} /> : <p className={css.help}>{said.mayNot}</p>}
        </>
      )}
    </section>
  );
}

function BuildForm({ service }: { readonly service: string }) {
  const { run, busy, error } = useAct(BuildDocument);
  const [where, setWhere] = useState(HERE);
  const [version, setVersion] = useState('');
  const [comment, setComment] = useState('');
  const begin = async () => {
    const typed = version.trim();
    const begun = await run({ service, version: typed === '' ? null : typed, comment: comment.trim(), on: onOf(where) });
    if (begun !== null) goTo(toTask(begun.build.id));
  };
  return (
    <form className={css.form} data-build onSubmit={(event) => {
      event.preventDefault();
      if (!busy) void begin();
    }}>
      <WhereChoice value={where} onChoose={setWhere} />
      <TextInput label={said.comment} description={said.commentHint} value={comment} maxLength={4000}
        onChange={(event) => { setComment(event.currentTarget.value); }} />
      <TextInput label={said.version} description={said.versionHint} value={version}
        onChange={(event) => { setVersion(event.currentTarget.value); }} />
      <ActError error={error} />
      <div className={css.buttons}><Button type="submit" loading={busy}>{said.start}</Button></div>
    </form>
  );
}
