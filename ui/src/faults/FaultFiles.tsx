// The files that were put aside with a fault report, for administrators to take away: nothing of them is shown here.
import { Button } from '@mantine/core';

import { ActError } from '../acts/ActError';
import { useOperator } from '../acts/operator';
import { useAsk } from '../acts/useAct';
import { FaultFilesDocument, type FaultReportQuery } from '../api/generated';
import { decoded } from '../privatefiles/content';
import { texts } from '../texts';
import css from './faults.module.css';

const said = texts.faults;
type Report = Pick<NonNullable<FaultReportQuery['fault']>, 'id' | 'files' | 'path'>;

export function FaultFiles({ fault, here }: { readonly fault: Report; readonly here: string }) {
  const { administers } = useOperator();
  const [first] = fault.path;
  if (fault.files.length === 0) return null;
  if (first !== undefined && first.node !== here) return <p className="quiet">{said.downloadElsewhere(first.node)}</p>;
  return administers ? <Download id={fault.id} /> : <p className="quiet">{said.downloadMayNot}</p>;
}

function Download({ id }: { readonly id: string }) {
  const { run, busy, error } = useAsk(FaultFilesDocument);
  const download = async () => {
    const found = await run({ id });
    if (found !== null) save(decoded(found.faultFiles), `fault-${id.slice(0, 8)}.tar.gz`);
  };
  return (
    <div className={css.files}>
      <Button size="xs" variant="default" loading={busy} onClick={() => void download()}>{said.download}</Button>
      <span className="quiet">{said.downloadHelp}</span>
      <ActError error={error} />
    </div>
  );
}

function save(content: BlobPart, name: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: 'application/gzip' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the content over by then.
  window.setTimeout(() => { URL.revokeObjectURL(url); }, 10_000);
}
