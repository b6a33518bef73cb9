// One version: what it is, who built it, and how it differs from the others of its service.
import { Loader } from '@mantine/core';

import { VersionsDocument, type ListKind, type VersionsQuery } from '../api/generated';
import type { Transport } from '../api/transport';
import css from '../builds/builds.module.css';
import { bytes } from '../format/bytes';
import { baseOf } from '../format/version';
import { ShortId } from '../links/Card';
import { useAnswer } from '../live/useAnswer';
import { toVersion } from '../page/place';
import { Ago } from '../parts/Ago';
import { AlertIcon, LockIcon } from '../parts/icons';
import { Facts, VersionChip } from '../parts/parts';
import { texts } from '../texts';
import { BuiltPart } from './BuiltPart';
import { Commits } from './Commits';
import { ComparePart } from './ComparePart';

const said = texts.versions;
const VERSIONS_READ = 50;
export type Version = VersionsQuery['versions'][number];

interface Props {
  readonly place: { readonly list: ListKind; readonly service: string; readonly version: string };
  readonly builds: number;
  readonly transport: Transport;
}

export function VersionDetails({ place: { list, service, version }, builds, transport }: Props) {
  const answer = useAnswer(transport, VersionsDocument, { kind: list, service, first: VERSIONS_READ }, builds);
  if (answer.kind === 'waiting') return <Loader size="sm" aria-label={said.loading} />;
  if (answer.kind === 'failed') return <p role="alert">{answer.error.message}</p>;
  const { versions } = answer.data;
  const one = versions.find((stored) => stored.version === version) ?? null;
  return (
    <div className={css.drawer} data-open-version={version}>
      {one === null ? <p>{said.absent(version, VERSIONS_READ)}</p> : <About version={one} list={list} service={service} />}
      <BuiltPart service={service} version={version} list={list} stored={one !== null} builds={builds} transport={transport} />
      {one !== null && <ComparePart list={list} service={service} version={version} versions={versions} />}
    </div>
  );
}

function About({ version, list, service }: { readonly version: Version; readonly list: ListKind; readonly service: string }) {
  const { withdrawn } = version;
  return (
    <div className={css.part}>
      {withdrawn !== null && (
        <p className={css.notice} data-flow="stopped"><AlertIcon size={16} />{said.withdrawn(withdrawn.by, withdrawn.reason)}</p>
      )}
      {version.private && (
        <div className={css.notice} data-flow="waiting" data-private>
          <LockIcon size={16} /><span><strong>{said.private}</strong>{said.privateMore}</span>
        </div>
      )}
      <Facts rows={rows(version, list, service)} />
    </div>
  );
}

function rows(version: Version, list: ListKind, service: string) {
  const base = baseOf(version.version);
  return [
    [said.kind, said.kinds[list]],
    [said.base, list === 'CLIENT'
      ? <VersionChip key="base" version={base} flow="idle" size="sm" to={toVersion('DEVELOPER', service, base)} /> : null],
    [said.maker, <span key="maker" className={css.head}>{version.maker} <ShortId id={version.makerId} /></span>],
    [said.from, version.receivedFrom ?? said.madeHere],
    [said.created, <Ago key="created" at={version.created} />],
    [said.stored, <Ago key="stored" at={version.stored} />],
    [said.size, said.sizeOf(bytes(version.sizeBytes), version.entries)],
    [said.comment, version.comment],
    [said.sources, list === 'CLIENT' && version.sources.length === 0 ? null : <Commits key="sources" sources={version.sources} />],
  ] as const;
}
