import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Where `vezde.kit.share` finds the page; the address is the one the web face serves it at.
export default defineConfig({
  base: "/shop/",
  plugins: [react()],
  build: {
    outDir: "../../src/vezde/_share/pages/shop",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
