// Tells screen readers what changed on its own.
import { VisuallyHidden } from '@mantine/core';
import { useState } from 'react';

import { laneEvents } from '../lane/events';
import type { Lane } from '../lane/lane';
import { texts } from '../texts';

export function Announcer({ lanes }: { readonly lanes: readonly Lane[] | null }) {
  const [told, setTold] = useState<{ lanes: readonly Lane[] | null; sentences: readonly string[] }>({ lanes: null, sentences: [] });
  // State derived from the last picture: React's documented way to look at a former value while rendering.
  if (lanes !== null && lanes !== told.lanes) {
    const fresh = laneEvents(told.lanes, lanes).map(texts.lanes.event);
    setTold({ lanes, sentences: fresh.length > 0 ? fresh : told.sentences });
  }
  return (
    <VisuallyHidden role="log" aria-live="polite" aria-atomic="true" data-announcer>
      {told.sentences.map((sentence) => <p key={sentence}>{sentence}</p>)}
    </VisuallyHidden>
  );
}
