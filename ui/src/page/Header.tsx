// Which node this is, whether the page is live, and who looks at it.
import { ActionIcon, Popover, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';

import type { SessionQuery } from '../api/generated';
import { shortId } from '../format/version';
import type { Flow } from '../lane/lane';
import type { Connection } from '../live/live';
import { CopyButton } from '../parts/Copy';
import { LeaveIcon, MoonIcon, SunIcon } from '../parts/icons';
import { Badge } from '../parts/parts';
import { texts } from '../texts';
import { Mark } from './Mark';
import css from './page.module.css';

const said = texts.header;
const FLOWS: Record<Connection, Flow> = { starting: 'idle', live: 'done', lost: 'stopped' };

interface Props {
  readonly session: SessionQuery;
  readonly connection: Connection;
  readonly faults: number;
  /** Pairings that wait for the operator here. */
  readonly pairings: number;
  readonly onLogOut: () => void;
}

export function Header({ session, connection, faults, pairings, onLogOut }: Props) {
  const { node, me } = session;
  return (
    <header className={css.header}>
      <a className={css.skip} href="#services" onClick={jump('services')}>{said.skip}</a>
      <div className={css.headerRow}>
        <Mark />
        <div className={css.node}>
          <h1>{node.name}</h1>
          <div className={css.sub}><NodeIdButton id={node.id} /><span className={css.version}>· {texts.product} {node.version}</span></div>
        </div>
        <nav className={css.nav} aria-label={said.sections}>
          <a href="#services" onClick={jump('services')}>{texts.lanes.title}</a>
          <a href="#faults" onClick={jump('faults')}>{texts.faults.title}{faults > 0 && <sup>{faults}</sup>}</a>
          <a href="#links" onClick={jump('links')}>{texts.links.title}</a>
          <a href="#nearby" onClick={jump('nearby')}>{texts.nearby.title}{pairings > 0 && <sup>{pairings}</sup>}</a>
          {me.role === 'ADMINISTRATOR' && <a href="#credentials" onClick={jump('credentials')}>{texts.credentials.title}</a>}
          <a href="#tasks" onClick={jump('tasks')}>{texts.tasks.title}</a>
        </nav>
        <div className={css.end}>
          <span className={css.connection} role="status" data-connection={connection}>
            <Badge flow={FLOWS[connection]} pulse={connection !== 'lost'}>{said.connection[connection]}</Badge>
          </span>
          <span className={css.who}>{texts.session.as(me.name, me.role)}</span>
          <SchemeButton />
          <Tooltip label={texts.session.logOut}>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={texts.session.logOut} onClick={onLogOut}><LeaveIcon /></ActionIcon>
          </Tooltip>
        </div>
      </div>
    </header>
  );
}

/** Jumps within the page without touching the fragment, which says what is open. */
function jump(section: string) {
  return (event: { preventDefault: () => void }) => {
    event.preventDefault();
    document.getElementById(section)?.scrollIntoView({ behavior: 'smooth' });
    document.getElementById(`${section}-title`)?.focus({ preventScroll: true });
  };
}

function NodeIdButton({ id }: { readonly id: string }) {
  return (
    <Popover position="bottom-start" shadow="md" withArrow trapFocus>
      <Popover.Target>
        <button type="button" className={css.id} aria-label={`${said.id} ${shortId(id)}`}>{shortId(id)}</button>
      </Popover.Target>
      <Popover.Dropdown>
        <div className={css.idBox}>
          <div className={css.idWhole}><code data-node-id>{id}</code><CopyButton text={id} label={said.copyId} /></div>
          <span>{said.idHelp}</span>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

function SchemeButton() {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme('light', { getInitialValueInEffect: false }) === 'dark';
  const label = dark ? said.toLight : said.toDark;
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} onClick={() => { setColorScheme(dark ? 'light' : 'dark'); }}>
        {dark ? <SunIcon /> : <MoonIcon />}
      </ActionIcon>
    </Tooltip>
  );
}
