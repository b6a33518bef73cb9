// One query's answer for as long as a part is shown. Its caller gives it a new key when the variables change.
import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { useEffect, useState } from 'react';

import type { Transport } from '../api/transport';

export type Answer<Data> =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'failed'; readonly error: Error; readonly stamp: number }
  /** `error`: why it could not be read again since; `null`: nothing went wrong. */
  | { readonly kind: 'here'; readonly data: Data; readonly stamp: number; readonly error: Error | null };

/** `stamp`: when it becomes another one, the answer is read again; the old one, with its stamp, stands until then. */
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
      (data) => { if (wanted) setAnswer({ kind: 'here', data, stamp, error: null }); },
      (error: unknown) => { if (wanted) setAnswer((last) => afterFailure(last, error as Error, stamp)); },
    );
    return () => { wanted = false; };
  }, [transport, asked, stamp]);
  return answer;
}

/** What was read once stays, with all that was typed into it: a node that is away for a moment must not clear it. */
function afterFailure<Data>(last: Answer<Data>, error: Error, stamp: number): Answer<Data> {
  return last.kind === 'here' ? { ...last, stamp, error } : { kind: 'failed', error, stamp };
}
