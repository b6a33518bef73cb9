// What an operator must look at, above everything else: each open alarm with what to do, until its cause is gone.
import { ActionIcon, Tooltip } from '@mantine/core';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAct } from '../acts/useAct';
import { DismissAlarmDocument, type AlarmsQuery } from '../api/generated';
import { ALARMS_SHOWN } from '../live/live';
import { Ago } from '../parts/Ago';
import { AlertIcon, CrossIcon } from '../parts/icons';
import { Command } from '../parts/parts';
import { texts } from '../texts';
import css from './alarms.module.css';

const said = texts.alarms;
type Alarm = AlarmsQuery['alarms'][number];

export function AlarmBanner({ alarms }: { readonly alarms: readonly Alarm[] }) {
  if (alarms.length === 0) return null;
  return (
    <section className={css.banner} aria-labelledby="alarms-title">
      <h2 id="alarms-title" tabIndex={-1}><AlertIcon size={18} />{said.title(alarms.length)}</h2>
      <ul>{alarms.map((alarm) => <Row key={alarm.id} alarm={alarm} />)}</ul>
      {alarms.length >= ALARMS_SHOWN && <p className={css.more}>{said.more} <Command text={texts.commands.alarms} /></p>}
    </section>
  );
}

/** Only the sentence is read out by itself: the moments beside it change all the time. */
function Row({ alarm }: { readonly alarm: Alarm }) {
  const { administers } = useOperator();
  return (
    <li className={css.alarm} data-alarm={alarm.kind}>
      <div>
        <p role="alert" className={css.what}>{alarm.message}</p>
        <p className={css.when}>
          {said.kind(alarm.kind)} · {said.since} <Ago at={alarm.firstSeen} />
          {alarm.count > 1 && <> · {said.times(alarm.count)}, {said.last} <Ago at={alarm.lastSeen} /></>}
        </p>
      </div>
      {administers && <Dismiss alarm={alarm} />}
    </li>
  );
}

function Dismiss({ alarm }: { readonly alarm: Alarm }) {
  const { run, busy, error } = useAct(DismissAlarmDocument);
  const dismiss = async () => {
    // The button goes with its alarm: whoever uses the keyboard goes on from the heading.
    if ((await run({ id: alarm.id })) !== null) document.getElementById('alarms-title')?.focus({ preventScroll: true });
  };
  return (
    <div className={css.end}>
      <Tooltip label={said.dismissHelp} multiline w={230}>
        <ActionIcon variant="subtle" color="red" aria-label={said.dismiss(alarm.message)} loading={busy}
          onClick={() => void dismiss()}>
          <CrossIcon size={16} />
        </ActionIcon>
      </Tooltip>
      <ActError error={error} />
    </div>
  );
}
