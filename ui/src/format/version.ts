// Decides how a version's text falls into the parts that a reader looks for.

export interface VersionParts {
  readonly node: string;
  readonly build: string;
  readonly site: string;
}

/** `acme-1.4.2_3` → node `acme`, build `1.4.2`, site number `3`; text of another form stands whole in `build`. */
export function versionParts(version: string): VersionParts {
  const match = /^(.+)-([0-9.]+)(?:_([0-9]+))?$/.exec(version);
  if (match === null) return { node: '', build: version, site: '' };
  return { node: match[1] ?? '', build: match[2] ?? '', site: match[3] ?? '' };
}

/** The developer version under a client version: `acme-1.4.2_3` → `acme-1.4.2`. */
export function baseOf(clientVersion: string): string {
  return clientVersion.replace(/_[0-9]+$/, '');
}

/** The first two of a node id's eight groups: enough to tell nodes apart, not to trust one. */
export function shortId(id: string): string {
  const groups = id.split('-');
  return groups.length > 2 ? `${groups.slice(0, 2).join('-')}…` : id;
}

/** The end of a repository's address, by which people know it: `https://git.example/team/shop.git` → `team/shop`. */
export function repository(url: string): string {
  const path = url.replace(/\.git$/, '').replace(/\/+$/, '');
  return path.split(/[/:]/).filter((part) => part !== '').slice(-2).join('/');
}

/** Whether `text` has the form of a version. */
export function isVersion(text: string): boolean {
  return versionParts(text).node !== '';
}
