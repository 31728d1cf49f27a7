/**
 * Before all tests: the bundles as they are shipped.
 *
 * @module
 */
import { buildConsole } from "../build.ts";

export async function setup(): Promise<void> {
  await buildConsole(["renderer", "bridge"]);
}
