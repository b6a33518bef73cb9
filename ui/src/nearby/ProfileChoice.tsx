// Which profile the other node may take; nothing is chosen beforehand, as it decides what it will see.
import { NativeSelect } from '@mantine/core';

import type { LinksQuery } from '../api/generated';
import { texts } from '../texts';

const said = texts.nearby.dialogue;

interface Props {
  readonly profiles: LinksQuery['profiles'];
  readonly value: string;
  readonly onChoose: (profile: string) => void;
}

export function ProfileChoice({ profiles, value, onChoose }: Props) {
  return (
    <NativeSelect label={said.profile} value={value} onChange={(event) => { onChoose(event.currentTarget.value); }}
      data={[
        { value: '', label: said.chooseProfile, disabled: true },
        ...profiles.map(({ name, services }) => ({ value: name, label: said.profileOf(name, services) })),
      ]} />
  );
}
