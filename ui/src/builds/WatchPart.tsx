// Whether the repositories of a service's settings are watched, and what was found there; developers say whether.
import { NativeSelect } from '@mantine/core';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { WatchSettingsDocument, type SettingsWatch } from '../api/generated';
import type { Service } from '../lane/lane';
import { Ago } from '../parts/Ago';
import { texts } from '../texts';
import css from './builds.module.css';

const said = texts.settings;
const CHOICES = (['AUTO', 'ON', 'OFF'] as const).map((value) => ({ value, label: said.choices[value] }));

export function WatchPart({ service }: { readonly service: Service }) {
  const { develops } = useOperator();
  const { site, watched, looks } = service;
  if (site === null || site.overlays.length === 0) return null;
  return (
    <section className={css.part} aria-labelledby="settings-title" data-watched={watched}>
      <h3 id="settings-title">{said.title}</h3>
      <p className={css.help}>{watched ? said.watched : said.notWatched}</p>
      {looks.length > 0 && (
        <ul className={css.list}>{looks.map((look) => <li key={`${look.url} ${look.ref}`} className={css.card}><Look look={look} /></li>)}</ul>
      )}
      {develops ? <Choice service={service.name} watch={site.watch} /> : <p className={css.help}>{said.mayNot}</p>}
    </section>
  );
}

function Look({ look }: { readonly look: Service['looks'][number] }) {
  const { url, ref, commit, seen, failed, error } = look;
  return (
    <>
      <span className={css.head}><strong>{url}</strong><span className={css.id}>{ref}</span></span>
      {commit !== null && seen !== null && <span>{said.at(commit)} <Ago at={seen} /></span>}
      {commit === null && failed === 0 && <span>{seen === null ? said.notYet : said.fixed}</span>}
      {failed > 0 && <span className={css.standing} data-flow="stopped">{said.failed(failed, error)}</span>}
    </>
  );
}

function Choice({ service, watch }: { readonly service: string; readonly watch: SettingsWatch }) {
  const { run, busy, error } = useAct(WatchSettingsDocument);
  const choose = (value: string) => {
    const chosen = CHOICES.find((one) => one.value === value);
    if (chosen !== undefined) void run({ service, watch: chosen.value });
  };
  return (
    <>
      <NativeSelect label={said.choice} data={CHOICES} value={watch} disabled={busy}
        onChange={(event) => { choose(event.currentTarget.value); }} />
      <ActError error={error} />
    </>
  );
}
