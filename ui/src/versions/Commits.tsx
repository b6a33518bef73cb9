// The commits that something was made from.
import css from '../builds/builds.module.css';
import { repository } from '../format/version';
import { texts } from '../texts';

interface Commit {
  readonly name: string;
  readonly url: string;
  readonly commit: string;
}

export function Commits({ sources }: { readonly sources: readonly Commit[] }) {
  if (sources.length === 0) return texts.versions.none;
  return (
    <span className={css.commits}>
      {sources.map(({ name, url, commit }) => (
        <span key={name} title={url}>{repository(url)} <code title={commit}>{commit.slice(0, 12)}</code></span>
      ))}
    </span>
  );
}
