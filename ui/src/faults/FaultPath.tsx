// The way of a fault report: from its instance over each node that received it, to where it goes next.
import { Tooltip } from '@mantine/core';
import { Fragment } from 'react';

import type { FaultsQuery } from '../api/generated';
import { exact } from '../format/time';
import { texts } from '../texts';
import css from './faults.module.css';

type Travelled = Pick<FaultsQuery['faults'][number], 'instance' | 'path' | 'forwardTo' | 'forwarded'>;

interface Props {
  readonly fault: Travelled;
  readonly here: string;
  readonly withInstance?: boolean;
}

export function FaultPath({ fault, here, withInstance }: Props) {
  const { path, forwardTo, forwarded } = fault;
  const next = forwardTo !== null && !path.some(({ node }) => node === forwardTo) ? forwardTo : null;
  const names = [...path.map(({ node }) => node), ...(next === null ? [] : [next])];
  return (
    <span className={css.path} role="group" aria-label={texts.faults.pathLabel(names.join(' → '))}>
      {withInstance && <><span className={css.hop} data-start>{fault.instance}</span>{path.length > 0 && <Step />}</>}
      {path.map(({ node, id, received }, index) => (
        <Fragment key={id}>
          {index > 0 && <Step />}
          <Tooltip label={`${texts.faults.received}: ${exact(received, texts.language)}`} disabled={!withInstance}>
            <span className={css.hop} data-here={node === here || undefined}>{node}</span>
          </Tooltip>
        </Fragment>
      ))}
      {next !== null && (
        <><Step /><span className={css.hop} data-ahead={forwarded === null || undefined}
          title={forwarded === null ? texts.faults.forwarding(next) : exact(forwarded, texts.language)}>{next}</span></>
      )}
    </span>
  );
}

function Step() {
  return <span aria-hidden>→</span>;
}
