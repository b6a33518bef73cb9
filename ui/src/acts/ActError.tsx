// Why the node refused a change, read out when it appears.
import css from './acts.module.css';

export function ActError({ error }: { readonly error: string }) {
  return error === '' ? null : <p role="alert" className={css.error}>{error}</p>;
}
