/**
 * Where things lie on this machine: the console's folder, and what a demo node is made of.
 *
 * @module
 */
import { homedir } from "node:os";
import { join } from "node:path";
import type { DemoPlace } from "./demo.ts";

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
