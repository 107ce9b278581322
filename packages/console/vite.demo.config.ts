// How the demo pages are bundled: everything local, served below /demo/.
import { defineConfig } from "vite";

export default defineConfig({
  root: "demo",
  base: "/demo/",
  publicDir: false,
  build: {
    outDir: "../dist/demo",
    emptyOutDir: true,
    target: "es2022",
    // Data URIs would force a looser content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: "demo/ball.html" },
  },
});
