// The newest fault reports; each opens in a drawer.
import { Skeleton } from '@mantine/core';

import type { FaultsQuery } from '../api/generated';
import { FAULTS_SHOWN } from '../live/live';
import { goTo, toFault } from '../page/place';
import { Ago } from '../parts/Ago';
import { ChevronIcon } from '../parts/icons';
import { Command, Empty, Section, VersionChip } from '../parts/parts';
import { texts } from '../texts';
import { ending } from './ending';
import { FaultPath } from './FaultPath';
import css from './faults.module.css';

const said = texts.faults;
type Fault = FaultsQuery['faults'][number];

export function FaultSection({ faults, here }: { readonly faults: readonly Fault[] | null; readonly here: string }) {
  return (
    <Section id="faults" title={said.title} help={said.help} count={faults?.length}>
      {faults === null ? <Skeleton height={70} radius="lg" /> : faults.length === 0 ? <None /> : <List faults={faults} here={here} />}
    </Section>
  );
}

function None() {
  return (
    <Empty>
      <span>{said.empty}</span><span className="quiet">{said.emptyMore}</span><Command text={texts.commands.faults} />
    </Empty>
  );
}

function List({ faults, here }: { readonly faults: readonly Fault[]; readonly here: string }) {
  return (
    <div className={css.list}>
      <ul>{faults.map((fault) => <Row key={fault.id} fault={fault} here={here} />)}</ul>
      {faults.length >= FAULTS_SHOWN && (
        <p className={css.more}>{said.shown(FAULTS_SHOWN)} <Command text={texts.commands.faults} /></p>
      )}
    </div>
  );
}

function Row({ fault, here }: { readonly fault: Fault; readonly here: string }) {
  return (
    <li className={css.item} data-fault={fault.id}>
      <button type="button" className={css.open} onClick={() => { goTo(toFault(fault.id)); }}>
        <span className={css.what}>
          <span><span className={css.service}>{fault.service}</span> <span className={css.where}>· {fault.instance}</span></span>
          <VersionChip version={fault.version} flow="stopped" size="sm" />
        </span>
        <span className={css.why}>
          <span className={css.reason}>{ending(fault)}</span>
          <span className={css.message}>{fault.message}</span>
        </span>
        <FaultPath fault={fault} here={here} />
        <span className={css.when}><Ago at={fault.occurred} /></span>
        <ChevronIcon size={16} />
      </button>
    </li>
  );
}
