// Decides what may be sent as a credential for a Git server. The node looks at all of it again.
import type { CredentialKind, CredentialsQuery } from '../api/generated';
import { bytes } from '../format/bytes';
import { encoded } from '../privatefiles/content';
import { texts } from '../texts';

export type Credential = CredentialsQuery['credentials'][number];

const said = texts.credentials;

/** What a node keeps of one secret, and of the keys of a host, at most. */
export const MOST_BYTES = 64 * 1024;
export const PREFIX_CHARS = 500;
export const USER_CHARS = 200;

const BEGINS: Record<CredentialKind, RegExp> = {
  PASSWORD: /^https:\/\/[^/@\s]+(\/\S*)?$/i,
  KEY: /^ssh:\/\/[^/@\s]+@[^/@\s]+(\/\S*)?$/i,
};

/** Why `prefix` is not the beginning of addresses of that kind; empty: it may be, or nothing is typed yet. */
export function prefixProblem(kind: CredentialKind, prefix: string): string {
  const typed = prefix.trim();
  return typed === '' || BEGINS[kind].test(typed) ? '' : said.prefixWrong[kind];
}

/** The one that `prefix` takes the place of, as far as can be told here. */
export function replacedBy(prefix: string, kept: readonly Credential[]): Credential | null {
  const wanted = reach(prefix);
  return wanted === '' ? null : (kept.find((one) => reach(one.prefix) === wanted) ?? null);
}

/** The host counts in any case, and a slash at the end for nothing. */
function reach(prefix: string): string {
  const [, head = '', path = ''] = /^([a-z]+:\/\/[^/]*)(.*)$/i.exec(prefix.trim()) ?? [];
  return head.toLowerCase() + path.replace(/\/+$/, '');
}

/** What a person gives as a text, or as a file, which wins. */
export interface Content {
  readonly text: string;
  readonly file: File | null;
}

export const NO_CONTENT: Content = { text: '', file: null };

export function isGiven({ text, file }: Content): boolean {
  return file !== null || text.trim() !== '';
}

/** Why a content is not sent; empty: it may be. */
export function contentProblem({ text, file }: Content): string {
  const size = file === null ? new TextEncoder().encode(text).length : file.size;
  if (file !== null && size === 0) return said.empty;
  return size > MOST_BYTES ? said.large(bytes(size), bytes(MOST_BYTES)) : '';
}

/** A token or password in base64, as it was typed. */
export function passwordSent(text: string): string {
  return encoded(new TextEncoder().encode(text));
}

/** A key, or keys of hosts, in base64; rejects when its file can't be read. Nothing given is nothing sent. */
export async function contentSent(content: Content): Promise<string> {
  if (content.file !== null) return encoded(new Uint8Array(await content.file.arrayBuffer()));
  if (!isGiven(content)) return '';
  // What is pasted often lacks its last line break, without which OpenSSH reads no key.
  return passwordSent(content.text.endsWith('\n') ? content.text : `${content.text}\n`);
}
