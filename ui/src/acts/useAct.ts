// One change of the node, asked for by a person: whether it is under way, and why it was refused.
import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { useState } from 'react';

import { useOperator } from './operator';

export interface Act<Data, Variables> {
  readonly busy: boolean;
  /** The node's sentence on the last attempt; empty: it did not fail. */
  readonly error: string;
  /** The node's answer, or `null` when it refused or was not reached. What changed comes to the page as a hint. */
  readonly run: (variables: Variables) => Promise<Data | null>;
}

export function useAct<Data, Variables extends AnyVariables>(document: TypedDocumentNode<Data, Variables>): Act<Data, Variables> {
  const { transport } = useOperator();
  const [state, setState] = useState({ busy: false, error: '' });
  const run = async (variables: Variables) => {
    setState({ busy: true, error: '' });
    try {
      const data = await transport.mutate(document, variables);
      setState({ busy: false, error: '' });
      return data;
    } catch (error) {
      setState({ busy: false, error: error instanceof Error ? error.message : String(error) });
      return null;
    }
  };
  return { ...state, run };
}
