// One query's answer for as long as a part is shown. Its caller gives it a new key when the variables change.
import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { useEffect, useState } from 'react';

import type { Transport } from '../api/transport';

export type Answer<Data> =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'here'; readonly data: Data };

/** `stamp`: when it becomes another one, the answer is read again; the old one stands until the new one is here. */
export function useAnswer<Data, Variables extends AnyVariables>(
  transport: Transport,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  stamp = 0,
): Answer<Data> {
  const [answer, setAnswer] = useState<Answer<Data>>({ kind: 'waiting' });
  const [asked] = useState({ document, variables });
  useEffect(() => {
    let wanted = true;
    transport.query(asked.document, asked.variables).then(
      (data) => { if (wanted) setAnswer({ kind: 'here', data }); },
      (error: unknown) => { if (wanted) setAnswer({ kind: 'failed', error: error as Error }); },
    );
    return () => { wanted = false; };
  }, [transport, asked, stamp]);
  return answer;
}
