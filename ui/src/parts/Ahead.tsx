// A moment to come: relative for the eye, exact in its tooltip and for machines.
import { Tooltip } from '@mantine/core';

import { ahead, exact } from '../format/time';
import { texts } from '../texts';
import { useNow } from './now';

export function Ahead({ at }: { readonly at: string }) {
  const now = useNow();
  return (
    <Tooltip label={exact(at, texts.language)} events={{ hover: true, focus: true, touch: true }} openDelay={150}>
      <time dateTime={at} className="numbers">{ahead(at, now, texts.language)}</time>
    </Tooltip>
  );
}
