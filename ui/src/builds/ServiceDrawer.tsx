// What a service needs to be built: its sources, the rule on its builders, who is handed its secrets, its private files.
import { Loader } from '@mantine/core';

import { ServiceSettingsDocument, type LinksQuery, type SessionQuery } from '../api/generated';
import type { Transport } from '../api/transport';
import type { Service } from '../lane/lane';
import { useAnswer } from '../live/useAnswer';
import { PrivateFilesPart } from '../privatefiles/PrivateFilesPart';
import { texts } from '../texts';
import { BuildPart } from './BuildForm';
import css from './builds.module.css';
import { EntrustedPart } from './EntrustedPart';
import { handedOf } from './handed';
import { candidates } from './policy';
import { PolicyPart } from './PolicyPart';
import { SourcesPart } from './SourcesPart';
import { WatchPart } from './WatchPart';

const said = texts.builds;

interface Props {
  readonly name: string;
  readonly services: readonly Service[] | null;
  readonly links: LinksQuery | null;
  readonly here: SessionQuery['node'];
  readonly builds: number;
  readonly transport: Transport;
}

export function ServiceDetails({ name, services, links, here, builds, transport }: Props) {
  const service = services?.find((one) => one.name === name);
  if (services !== null && service === undefined) return <p>{said.gone}</p>;
  return (
    <div className={css.drawer}>
      {service !== undefined && <BuildPart service={service} />}
      {service !== undefined && <SourcesPart service={service} />}
      {service !== undefined && <WatchPart service={service} />}
      <Settings name={name} links={links} here={here} builds={builds} transport={transport} />
    </div>
  );
}

function Settings({ name, links, here, builds, transport }: Omit<Props, 'services'>) {
  const answer = useAnswer(transport, ServiceSettingsDocument, { service: name }, builds);
  if (answer.kind === 'waiting') return <Loader size="sm" aria-label={said.loading} />;
  if (answer.kind === 'failed') return <p role="alert">{answer.error.message}</p>;
  const { builderPolicies, entrusted, privateFiles } = answer.data;
  const policy = builderPolicies.find(({ service }) => service === name) ?? null;
  return (
    <>
      <PolicyPart service={name} policy={policy} known={candidates(here, links, policy)} />
      <EntrustedPart service={name} handed={handedOf(name, entrusted)} />
      <PrivateFilesPart service={name} files={privateFiles} />
    </>
  );
}
