import { createTheme, localStorageColorSchemeManager, type MantineColorsTuple } from '@mantine/core';

const sea: MantineColorsTuple = [
  '#e6faf6', '#d3f1eb', '#a8e2d7', '#79d3c2', '#53c6b1', '#3bbea6', '#2bbaa0', '#1aa48b', '#06836f', '#006b5b',
];

export const theme = createTheme({
  primaryColor: 'sea',
  primaryShade: { light: 8, dark: 6 },
  colors: { sea },
  autoContrast: true,
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
});

/** Its key is the one that public/scheme.js reads before the first paint. */
export const schemes = localStorageColorSchemeManager({ key: 'vupdate-scheme' });
