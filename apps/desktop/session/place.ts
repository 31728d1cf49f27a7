/**
 * Where things lie on this machine: the console's folder, what a demo node is made of, what a server is set up with.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { DemoPlace } from "./demo.ts";
import type { SetupWizardOptions } from "./setup/setup-wizard.ts";

/**
 * The folder of one shell's console. Each shell keeps a device of its own: one cannot open the other's
 * key, and must not fall back to a weaker copy of it.
 */
export function consoleHome(shell: "electron" | "web", named: string | undefined): string {
  const home = named ?? process.env.PHANTOMA_HOME ?? join(homedir(), ".config", "phantoma");
  return join(home, `console-${shell}`);
}

/**
 * @param rootDir folder that holds apps/node and models/demo
 * @param modelPaths GGUF files; the model that comes with the project where there is none
 */
export function demoPlace(
  rootDir: string,
  modelPaths: readonly string[],
  runtimePath: string | undefined,
): DemoPlace {
  const models = modelPaths.map((path) => ({ path }));
  const own = { path: join(rootDir, "models/demo/model.gguf"), name: "demo" };
  return {
    nodeDir: join(rootDir, "apps/node"),
    models: models.length > 0 ? models : [own],
    ...(runtimePath === undefined ? {} : { runtimePath }),
  };
}

/** What the shell was told of it; otherwise the bundle that `npm run bundle` made, which is shown before it is used. */
export function releaseOf(
  rootDir: string,
  version: string,
  named: {
    readonly bundle?: string | undefined;
    readonly release?: string | undefined;
    readonly anchor?: string | undefined;
    readonly unsigned?: boolean;
  } = {},
): SetupWizardOptions["release"] {
  const own = join(rootDir, `dist/phantoma-node-${version}-linux-x64.tar.gz`);
  const {
    bundle = existsSync(own) ? own : "",
    release = "",
    anchor = "",
    unsigned = false,
  } = named;
  return { bundle, releaseDir: release, anchor, isUnsigned: unsigned };
}
