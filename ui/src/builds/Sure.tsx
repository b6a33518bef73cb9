// Asks once more before something is removed. The way out has the focus: Enter alone removes nothing.
import { Button } from '@mantine/core';

import css from './builds.module.css';

interface Props {
  readonly question: string;
  readonly yes: string;
  readonly no: string;
  readonly busy: boolean;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

export function Sure({ question, yes, no, busy, onYes, onNo }: Props) {
  return (
    <div className={css.sure} role="group" aria-label={question}>
      <p>{question}</p>
      <div className={css.buttons}>
        <Button size="xs" variant="default" autoFocus onClick={onNo}>{no}</Button>
        <Button size="xs" color="red" loading={busy} onClick={onYes}>{yes}</Button>
      </div>
    </div>
  );
}
