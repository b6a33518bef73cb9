// Small parts that several sections share.
import { Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';

import { bytes, share } from '../format/bytes';
import { versionParts } from '../format/version';
import type { Flow } from '../lane/lane';
import { texts } from '../texts';
import { CopyButton } from './Copy';
import css from './parts.module.css';

/** An attribute that is there or not, for styles to look at. */
function mark(on: boolean | undefined): true | undefined {
  return on === true ? true : undefined;
}

/** A command line to type, with a button that copies it. */
export function Command({ text }: { readonly text: string }) {
  return (
    <span className={css.command}>
      <code tabIndex={0}>{text}</code>
      <CopyButton text={text} />
    </span>
  );
}

/** What stands where there is nothing: why, and what to do next. */
export function Empty({ children }: { readonly children: ReactNode }) {
  return <div className={css.empty}>{children}</div>;
}

export function Badge({ flow, pulse, children }: { readonly flow: Flow; readonly pulse?: boolean; readonly children: ReactNode }) {
  return <span className={css.badge} data-flow={flow} data-pulse={mark(pulse)}>{children}</span>;
}

export function Dot({ flow, pulse }: { readonly flow: Flow; readonly pulse?: boolean }) {
  return <span className={css.dot} data-flow={flow} data-pulse={mark(pulse)} aria-hidden />;
}

interface ChipProps {
  readonly version: string | null;
  readonly flow: Flow;
  readonly size?: 'sm' | 'md';
  readonly struck?: boolean;
  /** Where in the page it leads. */
  readonly to?: string | undefined;
}

/** A version; its number stands out from the name of its maker. A new one arrives with a small movement. */
export function VersionChip({ version, flow, size = 'md', struck, to }: ChipProps) {
  if (version === null) return <span className={css.chip} data-none data-size={size}>{texts.lanes.none}</span>;
  const { node, build, site } = versionParts(version);
  const Chip = to === undefined ? 'span' : 'a';
  return (
    <Chip key={version} href={to} className={`${css.chip ?? ''} ${css.arrive ?? ''}`} data-flow={flow} data-size={size}
      data-struck={mark(struck)} data-version={version} title={to === undefined ? version : texts.versions.open(version)}>
      <span className={css.chipNode}>{node === '' ? '' : `${node}-`}</span>
      <span className={css.chipBuild}>{build}</span>
      <span className={css.chipSite}>{site === '' ? '' : `_${site}`}</span>
    </Chip>
  );
}

interface MeterProps {
  readonly moved: number;
  readonly full: number;
  readonly base: string | null;
  readonly suffix?: string;
}

/** Bytes that moved against those of the full image. */
export function Meter({ moved, full, base, suffix }: MeterProps) {
  const percent = full > 0 ? Math.min(100, (moved / full) * 100) : 0;
  return (
    <Tooltip label={texts.movedTitle(base)}>
      <span className={css.meter} tabIndex={0}>
        <span className="numbers">{texts.moved(bytes(moved), bytes(full), share(moved, full))}{suffix}</span>
        <span className={css.meterBar} aria-hidden><span className={css.meterFill} style={{ width: `${percent}%` }} /></span>
      </span>
    </Tooltip>
  );
}

interface SectionProps {
  readonly id: string;
  readonly title: string;
  readonly help: string;
  readonly count?: number | undefined;
  readonly children: ReactNode;
}

export function Section({ id, title, help, count, children }: SectionProps) {
  return (
    <section id={id} className={css.section} aria-labelledby={`${id}-title`}>
      <div className={css.sectionHead}>
        <h2 id={`${id}-title`} tabIndex={-1}>{title}{count ? <span className={css.count}>{count}</span> : null}</h2>
        <p>{help}</p>
      </div>
      {children}
    </section>
  );
}

/** Names and values, read as pairs. Values that are `null` are left out. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className={css.facts}>
      {rows.filter(([, value]) => value !== null && value !== '').map(([name, value]) => (
        <Fact key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: ReactNode }) {
  return <><dt>{name}</dt><dd>{value}</dd></>;
}
