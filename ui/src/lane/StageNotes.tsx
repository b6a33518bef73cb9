// What stands under a stage's version: where it is from, what comes next, what runs, or why it stopped.
import type { ReactNode } from 'react';

import { versionParts } from '../format/version';
import { goTo, toTask } from '../page/place';
import { Command, VersionChip } from '../parts/parts';
import { texts } from '../texts';
import css from './lane.module.css';
import type { Service, Stage } from './lane';

const said = texts.lanes;

interface Props {
  readonly stage: Stage;
  readonly kind: 'developer' | 'client';
  readonly service: Service;
}

export function StageNotes({ stage, kind, service }: Props) {
  const { note, version, flow } = stage;
  switch (note.kind) {
    case 'none':
      return null;
    case 'unused':
      return <Note>{said.unused}</Note>;
    case 'settled':
      return <Note>{kind === 'client' ? said.settled.client : said.settled.developer(versionParts(version ?? '').node)}</Note>;
    case 'next':
      return <Note flow={flow}>{said.next[kind](note.version)}</Note>;
    case 'offered':
      return (
        <div className={css.notes}>
          <Note flow={flow}>{said.offered(note.by, note.version, note.byItself)}</Note>
          {!note.byItself && <Command text={texts.commands.update(note.by)} />}
        </div>
      );
    case 'held':
      return <Note flow={flow}>{note.why}</Note>;
    case 'absent':
      return <Absent kind={kind} service={service} />;
    case 'task':
      return (
        <div className={css.notes}>
          <Note flow={flow}>{note.task.title}</Note>
          {note.task.waitsFor !== '' && <Note flow="waiting">{texts.tasks.waitsFor(note.task.waitsFor)}</Note>}
        </div>
      );
    case 'failed':
      return <Failed task={note.task} />;
  }
}

function Note({ flow, children }: { readonly flow?: Stage['flow']; readonly children: ReactNode }) {
  return <span className={css.note} data-flow={flow}>{children}</span>;
}

function Absent({ kind, service }: { readonly kind: 'developer' | 'client'; readonly service: Service }) {
  const { commands } = texts;
  if (kind === 'client') {
    return <div className={css.notes}><Note>{said.absent.client}</Note><Command text={commands.clientBuild(service.name)} /></div>;
  }
  if (service.provider !== null) {
    return (
      <div className={css.notes}>
        <Note>{said.absentFrom(service.provider)}</Note><Command text={commands.update(service.provider)} />
      </div>
    );
  }
  return <div className={css.notes}><Note>{said.absent.developer}</Note><Command text={commands.build(service.name)} /></div>;
}

type Failure = Extract<Stage['note'], { kind: 'failed' }>['task'];

function Failed({ task }: { readonly task: Failure }) {
  return (
    <div className={css.failure}>
      {task.subject !== '' && task.kind !== 'PROVIDER_UPDATE' && <VersionChip version={task.subject} flow="stopped" size="sm" struck />}
      <span>{task.error === '' ? texts.tasks.states[task.state] : task.error}</span>
      <button type="button" className={css.link} data-flow="stopped" onClick={() => { goTo(toTask(task.id)); }}>{said.seeLog}</button>
    </div>
  );
}
