/**
 * npm start: the console in Electron where its runtime is installed, otherwise in a browser.
 *
 *   start.ts [--web] [options of web/main.ts …]
 *
 * @module
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildConsole } from "./build.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const electronPath = process.argv.includes("--web") ? undefined : installedElectron();

if (electronPath) {
  await buildConsole(["renderer", "preload", "main"]);
  const child = spawn(electronPath, [here], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => child.kill(signal));
  child.once("exit", (code) => process.exit(code ?? 1));
} else {
  process.argv = process.argv.filter((argument) => argument !== "--web");
  await import("./web/main.ts");
}

/**
 * Looks at files only: the package `electron` would fetch the runtime when it is imported.
 *
 * @returns the executable; `undefined` where it was never installed
 */
function installedElectron(): string | undefined {
  const packageDir = dirname(fileURLToPath(import.meta.resolve("electron/package.json")));
  const namePath = join(packageDir, "path.txt");
  const name = existsSync(namePath) ? readFileSync(namePath, "utf8") : "electron";
  const path = join(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(packageDir, "dist"), name);
  return existsSync(path) ? path : undefined;
}
