/**
 * How each part of the console is bundled; `build.ts` runs these, one after the other.
 *
 *   renderer   the page, the same bytes in both shells
 *   bridge     web only: makes `window.phantoma` before the page starts
 *   preload    Electron only: the same; CommonJS, because a sandboxed preload cannot be a module
 *   main       Electron only: the process behind the page, all of our packages in one file
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig, type InlineConfig } from "vite";
import { NONCE_PLACEHOLDER } from "./session/page-files.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Where bundles go; nothing else lies there. */
export const distDir = here("dist");

const page: InlineConfig = {
  configFile: false,
  root: here("renderer"),
  // Relative: the web console serves the page below a path of its own.
  base: "./",
  publicDir: false,
  plugins: [react()],
  html: { cspNonce: NONCE_PLACEHOLDER },
  build: {
    outDir: `${distDir}/renderer`,
    emptyOutDir: true,
    target: "chrome148",
    // Every asset is a file of its own: fonts and scripts from data: URLs are not allowed.
    assetsInlineLimit: 0,
    // The polyfill would fetch, which the page is not allowed to.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
  },
};

const bridge: InlineConfig = {
  configFile: false,
  root: here("."),
  publicDir: false,
  build: {
    outDir: `${distDir}/bridge`,
    emptyOutDir: true,
    target: "es2023",
    reportCompressedSize: false,
    lib: {
      entry: here("web/page-bridge.ts"),
      formats: ["iife"],
      name: "phantomaBridge",
      fileName: () => "bridge.js",
    },
  },
};

/** Code that runs in Electron: everything but `electron` and Node's own modules goes into the file. */
function electronPart(name: "main" | "preload", format: "es" | "cjs"): InlineConfig {
  return {
    configFile: false,
    root: here("."),
    publicDir: false,
    ssr: { noExternal: true, external: ["electron"] },
    build: {
      outDir: `${distDir}/${name}`,
      emptyOutDir: true,
      target: "node24",
      minify: false,
      reportCompressedSize: false,
      ssr: here(`${name}/${name}.ts`),
      rolldownOptions: {
        external: ["electron"],
        output: { format, entryFileNames: `${name}.${format === "cjs" ? "cjs" : "js"}` },
      },
    },
  };
}

export const parts = {
  renderer: page,
  bridge,
  preload: electronPart("preload", "cjs"),
  main: electronPart("main", "es"),
} as const satisfies Record<string, InlineConfig>;

export type Part = keyof typeof parts;

// oxlint-disable-next-line import/no-default-export -- Vite's own commands look for it
export default defineConfig({ ...page, root: here("renderer") });
