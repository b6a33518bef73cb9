// Decides what in a page's address is a log-in secret. It stands in the fragment, which browsers send to no server.

const FORM = /^#\/login\/([A-Za-z0-9_~.=-]{1,200})$/;

/** The secret of a log-in link, or `null` when the fragment is anything else. */
export function loginSecret(fragment: string): string | null {
  return FORM.exec(fragment)?.[1] ?? null;
}
