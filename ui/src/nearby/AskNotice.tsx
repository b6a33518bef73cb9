// At the head of the page: another node wants to pair with this one, and waits for the operator here.
import { Button } from '@mantine/core';

import { useOperator } from '../acts/operator';
import { Ahead } from '../parts/Ahead';
import { NodeIcon } from '../parts/icons';
import { texts } from '../texts';
import type { Opened } from './Dialogue';
import css from './nearby.module.css';
import { asking, type Pairing } from './pairing';

const said = texts.nearby;

interface Props {
  readonly pairings: readonly Pairing[];
  readonly onOpen: (opened: Opened) => void;
}

export function AskNotices({ pairings, onOpen }: Props) {
  const { administers } = useOperator();
  if (!administers) return null;
  return asking(pairings).map((pairing) => (
    <div key={pairing.id} className={css.notice} data-flow="moving" data-asks={pairing.node}>
      <NodeIcon size={20} />
      <div>
        <strong role="alert">{said.asked(pairing.node)}</strong>
        <p>{said.askedMore} <span className={css.left}>({said.dialogue.runsOut} <Ahead at={pairing.expires} />)</span>.</p>
      </div>
      <Button size="xs" aria-label={said.compareWith(pairing.node)} onClick={() => { onOpen({ kind: 'pairing', pairing }); }}>{said.compare}</Button>
    </div>
  ));
}
