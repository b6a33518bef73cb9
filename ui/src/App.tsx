import { MantineProvider } from '@mantine/core';

import { useStore } from './live/store';
import { NodePage } from './page/NodePage';
import { Door } from './session/Door';
import type { Session } from './session/session';
import { schemes, theme } from './styles/theme';

export function App({ session }: { readonly session: Session }) {
  const state = useStore(session.state);
  return (
    <MantineProvider theme={theme} colorSchemeManager={schemes} defaultColorScheme="auto">
      {state.kind === 'in' ? <NodePage session={session} who={state} /> : <Door state={state} />}
    </MantineProvider>
  );
}
