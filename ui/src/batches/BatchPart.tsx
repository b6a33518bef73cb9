// Client versions of many services at once: offered below the services, and how they went until it is hidden.
import { Button } from '@mantine/core';
import { useState } from 'react';

import { useOperator } from '../acts/operator';
import type { Service } from '../lane/lane';
import { texts } from '../texts';
import { adaptable, type Begun } from './batch';
import { BatchForm } from './BatchForm';
import { BatchOutcomes } from './BatchOutcomes';

const said = texts.batches;

type Doing =
  | { readonly kind: 'nothing' | 'choosing' }
  | { readonly kind: 'begun'; readonly batch: readonly Begun[] };

interface Props {
  readonly services: readonly Service[];
  /** Another number when the tasks have to be read again. */
  readonly stamp: number;
}

export function BatchPart({ services, stamp }: Props) {
  const { develops } = useOperator();
  const [doing, setDoing] = useState<Doing>({ kind: 'nothing' });
  const names = adaptable(services);
  if (!develops || (names.length === 0 && doing.kind === 'nothing')) return null;
  const close = () => {
    setDoing({ kind: 'nothing' });
    // What was pressed is gone: whoever uses the keyboard goes on from the heading.
    document.getElementById('services-title')?.focus({ preventScroll: true });
  };
  if (doing.kind === 'choosing') {
    return <BatchForm names={names} onBegun={(batch) => { setDoing({ kind: 'begun', batch }); }} onCancel={close} />;
  }
  if (doing.kind === 'begun') {
    const key = doing.batch.map(({ task }) => task).join();
    return <BatchOutcomes key={key} batch={doing.batch} stamp={stamp} onAgain={() => { setDoing({ kind: 'choosing' }); }} onHide={close} />;
  }
  return <div><Button size="xs" variant="default" onClick={() => { setDoing({ kind: 'choosing' }); }}>{said.open}</Button></div>;
}
