// Where a build is made: here, at any peer, or at a certain one, each with whether it takes a build now and why not.
import { Button, Loader, Radio } from '@mantine/core';
import { useState } from 'react';

import { useOperator } from '../acts/operator';
import { BuildersDocument } from '../api/generated';
import { useAnswer } from '../live/useAnswer';
import { texts } from '../texts';
import css from './builds.module.css';
import { ANYWHERE, HERE, peerChoice, toldOf, type Builder } from './where';

const said = texts.builds;

interface Props {
  readonly label?: string;
  readonly value: string;
  readonly autoFocus?: boolean;
  readonly onChoose: (choice: string) => void;
}

export function WhereChoice({ label = said.where, value, autoFocus = false, onChoose }: Props) {
  const { transport } = useOperator();
  const [asked, setAsked] = useState(0);
  const answer = useAnswer(transport, BuildersDocument, {}, asked);
  const asking = answer.kind === 'waiting' || answer.stamp !== asked;
  const builders = answer.kind === 'here' ? answer.data.builders : [];
  return (
    <div className={css.part} data-where>
      <Radio.Group label={label} value={value} onChange={onChoose}>
        <div className={css.choices}>
          <Radio value={HERE} label={said.here} autoFocus={autoFocus} />
          {builders.some(({ kind }) => kind === 'PROVIDER') && <Radio value={ANYWHERE} label={said.anywhere} description={said.waits} />}
          {builders.map((builder) => <Peer key={builder.name} builder={builder} />)}
        </div>
      </Radio.Group>
      <div className={css.buttons}>
        {(builders.length > 0 || answer.kind === 'failed') && (
          <Button size="compact-xs" variant="default" disabled={asking} onClick={() => { setAsked(asked + 1); }}>{said.askAgain}</Button>
        )}
        <span role="status" className={css.help}>
          {asking && <><Loader size={12} aria-hidden /> {said.asking}</>}
          {!asking && answer.error !== null && <span className={css.standing} data-flow="stopped">{said.peersFailed(answer.error.message)}</span>}
          {!asking && answer.kind === 'here' && builders.length === 0 && said.noPeers}
        </span>
      </div>
    </div>
  );
}

function Peer({ builder }: { readonly builder: Builder }) {
  const { flow, text, more } = toldOf(builder);
  return (
    <div data-builder={builder.name} data-takes={builder.takes}>
      <Radio value={peerChoice(builder.name)} label={builder.kind === 'CONSUMER' ? said.atConsumer(builder.name) : said.at(builder.name)}
        description={<><span className={css.standing} data-flow={flow}>{text}</span>{more !== '' && <span>{more}</span>}</>} />
    </div>
  );
}
