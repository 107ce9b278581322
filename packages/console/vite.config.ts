// How the console is bundled: everything local, served below /console/.
import { defineConfig } from "vite";

export default defineConfig({
  base: "/console/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    // Data URIs would force a looser content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // mpegts.js alone is about 350 kB and loads only when a player opens.
    chunkSizeWarningLimit: 500,
  },
});
