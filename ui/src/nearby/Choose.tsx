// The first step of a pairing begun here: what the link is for. The code comes with the next one.
import { Button, Radio, TextInput } from '@mantine/core';
import { useState } from 'react';

import { ActError } from '../acts/ActError';
import { useAct } from '../acts/useAct';
import { StartPairingDocument, type LinksQuery } from '../api/generated';
import { Command } from '../parts/parts';
import { texts } from '../texts';
import css from './nearby.module.css';
import type { NearbyNode, Pairing, Way } from './pairing';
import { ProfileChoice } from './ProfileChoice';

const said = texts.nearby.dialogue;

interface Props {
  /** `null`: one that is named by its address. */
  readonly node: NearbyNode | null;
  readonly ways: readonly Way[];
  readonly profiles: LinksQuery['profiles'];
  readonly onBegun: (pairing: Pairing) => void;
  readonly onCancel: () => void;
}

export function Choose({ node, ways, profiles, onBegun, onCancel }: Props) {
  const { run, busy, error } = useAct(StartPairingDocument);
  const [way, setWay] = useState<Way>(ways[0] ?? 'TAKE');
  const [profile, setProfile] = useState('');
  const [address, setAddress] = useState('');
  const target = node === null ? address.trim() : node.id;
  const ready = target !== '' && (way === 'TAKE' || profile !== '');
  const begin = async () => {
    const begun = await run({ target, wish: way, profile: way === 'GIVE' ? profile : null });
    if (begun !== null) onBegun(begun.startPairing);
  };
  return (
    <form className={css.dialogue} onSubmit={(event) => {
      event.preventDefault();
      if (ready && !busy) void begin();
    }}>
      {node === null ? (
        <TextInput label={said.address} description={said.addressHint} value={address} data-autofocus
          onChange={(event) => { setAddress(event.currentTarget.value); }} />
      ) : <p className={css.named}>{texts.nearby.nodeId} <code>{node.id}</code></p>}
      <Radio.Group label={said.what} value={way} onChange={(chosen) => { setWay(chosen); }}>
        <div className={css.ways}>
          {ways.map((one) => <Radio key={one} value={one} label={said.way(one, node?.name ?? null)} description={said.wayMore[one]} />)}
        </div>
      </Radio.Group>
      {way === 'GIVE' && (profiles.length === 0
        ? <p className={css.none}>{said.noProfile} <Command text={texts.commands.setProfile} /></p>
        : <ProfileChoice profiles={profiles} value={profile} onChoose={setProfile} />)}
      <ActError error={error} />
      <div className={css.buttons}>
        <Button type="submit" loading={busy} disabled={!ready}>{said.begin}</Button>
        <Button variant="default" onClick={onCancel}>{said.cancel}</Button>
        <span className={css.hint}>{said.beginHelp}</span>
      </div>
    </form>
  );
}
