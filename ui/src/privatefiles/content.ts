// Decides whether a chosen file can be a private file, and spells its content for the node.
import { bytes } from '../format/bytes';
import { texts } from '../texts';

const said = texts.privateFiles;

/** What a node keeps of one file at most. */
export const MOST_BYTES = 1024 * 1024;
const STEP = 0x8000;

/** Why a file of that size is not sent; empty: it may be. */
export function refusal(size: number): string {
  if (size === 0) return said.empty;
  return size > MOST_BYTES ? said.large(bytes(size), bytes(MOST_BYTES)) : '';
}

/** In base64. In steps, as a function takes only so many arguments. */
export function encoded(content: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < content.length; at += STEP) parts.push(String.fromCharCode(...content.subarray(at, at + STEP)));
  return btoa(parts.join(''));
}

export function decoded(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
