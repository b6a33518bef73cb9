// One change of the node, asked for by a person: whether it is under way, and why it was refused.
import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { useState } from 'react';

import type { Transport } from '../api/transport';
import { useOperator } from './operator';

export interface Act<Data, Variables> {
  readonly busy: boolean;
  /** The node's sentence on the last attempt; empty: it did not fail. */
  readonly error: string;
  /** The node's answer, or `null` when it refused or was not reached. What changed comes to the page as a hint. */
  readonly run: (variables: Variables) => Promise<Data | null>;
}

export function useAct<Data, Variables extends AnyVariables>(document: TypedDocumentNode<Data, Variables>): Act<Data, Variables> {
  return useSent((transport, variables) => transport.mutate(document, variables));
}

/** The same for a question that is only asked when a person wants its answer, as it is costly or is put on record. */
export function useAsk<Data, Variables extends AnyVariables>(document: TypedDocumentNode<Data, Variables>): Act<Data, Variables> {
  return useSent((transport, variables) => transport.query(document, variables));
}

function useSent<Data, Variables>(send: (transport: Transport, variables: Variables) => Promise<Data>): Act<Data, Variables> {
  const { transport } = useOperator();
  const [state, setState] = useState({ busy: false, error: '' });
  const run = async (variables: Variables) => {
    setState({ busy: true, error: '' });
    try {
      const data = await send(transport, variables);
      setState({ busy: false, error: '' });
      return data;
    } catch (error) {
      setState({ busy: false, error: error instanceof Error ? error.message : String(error) });
      return null;
    }
  };
  return { ...state, run };
}
