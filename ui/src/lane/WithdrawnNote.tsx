// That a version is not to be used any more: who said so, and why.
import { Ago } from '../parts/Ago';
import { AlertIcon } from '../parts/icons';
import { texts } from '../texts';
import type { Withdrawal } from './lane';
import css from './lane.module.css';

export function WithdrawnNote({ withdrawal }: { readonly withdrawal: Withdrawal | null }) {
  if (withdrawal === null) return null;
  const { version, by, reason, at } = withdrawal;
  return (
    <span className={css.withdrawn} data-withdrawn={version}>
      <AlertIcon size={15} /><span>{texts.lanes.withdrawnBy(version, by, reason)} · <Ago at={at} /></span>
    </span>
  );
}
