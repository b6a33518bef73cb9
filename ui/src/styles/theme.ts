import { createTheme, localStorageColorSchemeManager, type MantineColorsTuple } from '@mantine/core';

const sea: MantineColorsTuple = [
  '#e6faf6', '#d3f1eb', '#a8e2d7', '#79d3c2', '#53c6b1', '#3bbea6', '#2bbaa0', '#1aa48b', '#06836f', '#006b5b',
];

/** Mantine's dark grounds, edges and inks in the page's own tones, see page.css: the lightest first. */
const night: MantineColorsTuple = [
  '#e8edf2', '#b3c0cc', '#8e9dac', '#647282', '#3d4a58', '#2a343f', '#1c232b', '#171d24', '#0f1419', '#0b1015',
];

export const theme = createTheme({
  primaryColor: 'sea',
  primaryShade: { light: 8, dark: 6 },
  colors: { sea, dark: night },
  autoContrast: true,
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
});

/** Its key is the one that public/scheme.js reads before the first paint. */
export const schemes = localStorageColorSchemeManager({ key: 'vupdate-scheme' });
