import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Where `vezde.kit.share` finds the page; the address is the one the web face serves it at.
export default defineConfig({
  base: "/console/",
  plugins: [react()],
  build: {
    outDir: "../../src/vezde/_share/pages/console",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
