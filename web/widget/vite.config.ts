import { defineConfig } from "vite";

// One file without a hash in its name: shops write its address into their pages.
export default defineConfig({
  build: {
    outDir: "../../src/vezde/_share/pages/widget",
    emptyOutDir: true,
    target: "es2022",
    lib: {
      entry: "src/widget.ts",
      formats: ["iife"],
      name: "VezdeWidget",
      fileName: () => "widget.js",
    },
  },
});
