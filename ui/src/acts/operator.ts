// Who looks at the page and what he may do to the node: what parts need that offer a change.
import { createContext, useContext } from 'react';

import type { Transport } from '../api/transport';

export interface Operator {
  readonly transport: Transport;
  /** Whether changes are offered. The node checks every one of them again. */
  readonly administers: boolean;
  /** Whether builds are offered: to developers and administrators. */
  readonly develops: boolean;
}

export const OperatorContext = createContext<Operator | null>(null);

export function useOperator(): Operator {
  const operator = useContext(OperatorContext);
  if (operator === null) throw new Error('shown outside of a node page');
  return operator;
}
