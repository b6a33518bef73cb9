// The dialogue of a pairing, from the choice of what the link is for to its end. Closing it ends nothing.
import { Modal } from '@mantine/core';
import { useState } from 'react';

import type { LinksQuery } from '../api/generated';
import { texts } from '../texts';
import { Choose } from './Choose';
import { Compare } from './Compare';
import type { NearbyNode, Pairing, Way } from './pairing';

const said = texts.nearby.dialogue;

export type Opened =
  | { readonly kind: 'choose'; readonly node: NearbyNode | null; readonly ways: readonly Way[] }
  | { readonly kind: 'pairing'; readonly pairing: Pairing };

interface Props {
  readonly opened: Opened | null;
  readonly pairings: readonly Pairing[];
  readonly profiles: LinksQuery['profiles'];
  readonly onOpen: (opened: Opened | null) => void;
}

export function PairingDialogue({ opened, pairings, profiles, onOpen }: Props) {
  const [shown, setShown] = useState<Opened | null>(opened);
  // What was open stays in the dialogue while it closes.
  if (opened !== null && opened !== shown) setShown(opened);
  const close = () => { onOpen(null); };
  return (
    <Modal opened={opened !== null} onClose={close} size="lg" padding="lg" centered title={<strong>{shown === null ? '' : titleOf(shown)}</strong>}
      closeButtonProps={{ 'aria-label': texts.close }}>
      {shown?.kind === 'choose' && (
        <Choose key={shown.node?.id} node={shown.node} ways={shown.ways} profiles={profiles} onCancel={close}
          onBegun={(pairing) => { onOpen({ kind: 'pairing', pairing }); }} />
      )}
      {shown?.kind === 'pairing' && (
        <Compare key={shown.pairing.id} pairing={pairings.find(({ id }) => id === shown.pairing.id) ?? shown.pairing}
          profiles={profiles} onClose={close} />
      )}
    </Modal>
  );
}

function titleOf(shown: Opened): string {
  if (shown.kind === 'pairing') return said.compareTitle(shown.pairing.node);
  return shown.node === null ? said.chooseAddress : said.chooseTitle(shown.node.name);
}
