// The code of a pairing, large, with what to do about it; then how it went on.
import { Button, Loader, NativeSelect } from '@mantine/core';
import { useState, type ReactNode } from 'react';

import { ActError } from '../acts/ActError';
import { useAct } from '../acts/useAct';
import { ConfirmPairingDocument, RejectPairingDocument, type AutoUpdate, type LinksQuery } from '../api/generated';
import { Ahead } from '../parts/Ahead';
import { AlertIcon, CheckIcon } from '../parts/icons';
import { Command } from '../parts/parts';
import { texts } from '../texts';
import css from './nearby.module.css';
import { grouped, isOpen, needsProfile, spelled, stepOf, STEP_FLOWS, type Pairing } from './pairing';
import { ProfileChoice } from './ProfileChoice';

const said = texts.nearby.dialogue;
const AUTO_UPDATES = (Object.keys(said.autoUpdateOf) as AutoUpdate[]).map((value) => ({ value, label: said.autoUpdateOf[value] }));

interface Props {
  readonly pairing: Pairing;
  readonly profiles: LinksQuery['profiles'];
  readonly onClose: () => void;
}

export function Compare({ pairing, profiles, onClose }: Props) {
  const step = stepOf(pairing);
  return (
    <div className={css.dialogue} data-step={step}>
      <p className={css.named}>{said.byIt} <code>{pairing.nodeId}</code>, <code>{pairing.url}</code></p>
      {isOpen(pairing) && pairing.code !== null && <Code code={pairing.code} node={pairing.node} toCompare={step === 'compare'} />}
      {step === 'compare' && pairing.code !== null
        ? <Confirmation pairing={pairing} code={pairing.code} profiles={profiles} />
        : <Rest pairing={pairing} onClose={onClose} />}
    </div>
  );
}

function Code({ code, node, toCompare }: { readonly code: string; readonly node: string; readonly toCompare: boolean }) {
  return (
    <>
      {toCompare && <p>{said.instruction(node)}</p>}
      <p className={css.code} data-code={code}>
        <span className={css.unseen}>{said.codeLabel}: {spelled(code)}</span><span aria-hidden>{grouped(code)}</span>
      </p>
      {toCompare && <p className={css.warning} data-flow="waiting"><AlertIcon size={18} />{said.warning}</p>}
    </>
  );
}

interface ConfirmationProps {
  readonly pairing: Pairing;
  readonly code: string;
  readonly profiles: LinksQuery['profiles'];
}

function Confirmation({ pairing, code, profiles }: ConfirmationProps) {
  const confirm = useAct(ConfirmPairingDocument);
  const [profile, setProfile] = useState('');
  const [autoUpdate, setAutoUpdate] = useState<AutoUpdate>('INSTALL');
  const chooses = needsProfile(pairing);
  const effect = pairing.provides ? said.effect.give : said.effect.take;
  return (
    <>
      <p>{effect(pairing.node, pairing.profile)}</p>
      {chooses && (profiles.length === 0
        ? <p className={css.none}>{said.noProfile} <Command text={texts.commands.setProfile} /></p>
        : <ProfileChoice profiles={profiles} value={profile} onChoose={setProfile} />)}
      {!pairing.provides && (
        <NativeSelect label={said.autoUpdate} data={AUTO_UPDATES} value={autoUpdate}
          onChange={(event) => { setAutoUpdate(event.currentTarget.value as AutoUpdate); }} />
      )}
      {pairing.confirmedThere && <p role="status">{said.there(pairing.node)}</p>}
      {pairing.reason !== '' && <p className={css.reason} data-flow="waiting">{pairing.reason}</p>}
      <ActError error={confirm.error} />
      <Buttons pairing={pairing} refuse={said.reject}>
        <Button loading={confirm.busy} disabled={chooses && profile === ''}
          onClick={() => void confirm.run({ id: pairing.id, code, profile: chooses ? profile : null, autoUpdate })}>{said.confirm}</Button>
      </Buttons>
    </>
  );
}

/** What follows the confirmation here: waiting, then an end. */
function Rest({ pairing, onClose }: { readonly pairing: Pairing; readonly onClose: () => void }) {
  const step = stepOf(pairing);
  if (isOpen(pairing)) {
    return (
      <>
        <p className={css.waiting} role="status"><Loader size="xs" aria-hidden />{step === 'making' ? said.linking : said.waiting(pairing.node)}</p>
        {pairing.reason !== '' && <p className={css.reason} data-flow="waiting">{pairing.reason}</p>}
        <Buttons pairing={pairing} refuse={said.abandon} />
      </>
    );
  }
  return (
    <>
      <div className={css.ended} data-flow={STEP_FLOWS[step]} role="status">
        {step === 'linked' ? <CheckIcon size={20} /> : <AlertIcon size={20} />}
        <div>
          <strong>{pairing.stage === 'REJECTED' || pairing.stage === 'FAILED' || pairing.stage === 'EXPIRED'
            ? said.ended[pairing.stage] : said.linked(pairing.node, pairing.provides)}</strong>
          {pairing.reason !== '' && <p>{pairing.reason}</p>}
        </div>
      </div>
      <div className={css.buttons}><Button variant="default" onClick={onClose}>{said.close}</Button></div>
    </>
  );
}

function Buttons({ pairing, refuse, children }: { readonly pairing: Pairing; readonly refuse: string; readonly children?: ReactNode }) {
  const reject = useAct(RejectPairingDocument);
  return (
    <>
      <ActError error={reject.error} />
      <div className={css.buttons}>
        {children}
        <Button variant="outline" color="red" loading={reject.busy} onClick={() => void reject.run({ id: pairing.id })}>{refuse}</Button>
        <span className={css.hint}>{said.runsOut} <Ahead at={pairing.expires} /></span>
      </div>
    </>
  );
}
