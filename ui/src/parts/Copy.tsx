// Puts a text on the clipboard and says so.
import { ActionIcon, Tooltip } from '@mantine/core';
import { useState } from 'react';

import { texts } from '../texts';
import { CheckIcon, CopyIcon } from './icons';

const SAID_MS = 1_600;

/** Pages that were not loaded over TLS have no clipboard API: select and copy the old way there. */
async function copy(text: string): Promise<boolean> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without TLS
  const done = document.execCommand('copy');
  field.remove();
  return done;
}

export function useCopy(text: string): { copied: boolean; copy: () => void } {
  const [copied, setCopied] = useState(false);
  const run = () => {
    void copy(text).then((done) => {
      setCopied(done);
      window.setTimeout(() => { setCopied(false); }, SAID_MS);
    });
  };
  return { copied, copy: run };
}

export function CopyButton({ text, label = texts.copy }: { readonly text: string; readonly label?: string }) {
  const { copied, copy: run } = useCopy(text);
  const said = copied ? texts.copied : label;
  return (
    <Tooltip label={said} {...(copied ? { opened: true } : {})}>
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={said} onClick={run}>
        {copied ? <CheckIcon size={15} /> : <CopyIcon size={15} />}
      </ActionIcon>
    </Tooltip>
  );
}
