import { defineConfig } from "vite";

export default defineConfig({
  // Names relative to the page, so that it may be served from any folder of a site.
  base: "./",
  build: { target: "es2022", assetsInlineLimit: 0 },
});
