// Says that the connection is lost, over the page instead of in it: nothing below moves.
import type { Connection } from '../live/live';
import { AlertIcon } from '../parts/icons';
import { texts } from '../texts';
import css from './page.module.css';

export function LostNotice({ connection }: { readonly connection: Connection }) {
  return (
    <div role="alert">
      {connection === 'lost' && <div className={css.lost} data-lost><AlertIcon />{texts.lost}</div>}
    </div>
  );
}
