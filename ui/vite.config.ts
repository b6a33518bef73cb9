import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// `npm run dev` shows the pages of a node that runs elsewhere: VUPDATE_URL=http://127.0.0.1:7420 npm run dev
const node = process.env.VUPDATE_URL ?? 'http://127.0.0.1:7420';

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    // Small files stay files: a page under a strict Content-Security-Policy loads no data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 500,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: 'parts', test: /node_modules\/(@mantine|@floating-ui|react-remove-scroll)/ },
          ],
        },
      },
    },
  },
  server: {
    proxy: { '/graphql': { target: node, ws: true }, '/auth': node },
  },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
