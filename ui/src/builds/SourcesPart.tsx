// What a service is built from here, and whether the sources of its versions are tagged; developers say whether.
import { Checkbox } from '@mantine/core';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { AddServiceDocument } from '../api/generated';
import type { Service } from '../lane/lane';
import { texts } from '../texts';
import css from './builds.module.css';

const said = texts.sources;

export function SourcesPart({ service }: { readonly service: Service }) {
  const { develops } = useOperator();
  if (!service.developed || service.sources.length === 0) return null;
  return (
    <section className={css.part} aria-labelledby="sources-title" data-tagged={service.tagged}>
      <h3 id="sources-title">{said.title}</h3>
      <ul className={css.list}>
        {service.sources.map(({ name, url, ref, directory }) => (
          <li key={name} className={css.card}>
            <span className={css.head}><strong>{url}</strong><span className={css.id}>{directory === '' ? ref : `${ref} · ${directory}`}</span></span>
          </li>
        ))}
      </ul>
      {develops ? <Tagging service={service} /> : <p className={css.help}>{service.tagged ? said.tagged : said.notTagged} {said.mayNot}</p>}
    </section>
  );
}

/** A service is told anew as a whole: its sources go along as they are. */
function Tagging({ service: { name, sources, tagged } }: { readonly service: Service }) {
  const { run, busy, error } = useAct(AddServiceDocument);
  return (
    <>
      <Checkbox label={said.tag} description={said.tagHint(name)} checked={tagged} disabled={busy} onChange={(event) => {
        void run({ name, tag: event.currentTarget.checked, sources: sources.map(({ name: folder, url, ref, directory }) => ({ name: folder, url, ref, directory })) });
      }} />
      <ActError error={error} />
    </>
  );
}
