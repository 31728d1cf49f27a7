/**
 * For the control only: starts a worker as its cell would, and leaves out what a cell is for.
 *
 *   without-cell.ts WORKER-MAIN MODELS-DIR KEEPER-SOCKET     with the gateway's connection as descriptor 0
 *
 * @module
 */
import { spawn } from "node:child_process";
import { connectPaused } from "../../../apps/node/gateway/starter.ts";

const [main = "", models = "", keeperSocket = ""] = process.argv.slice(2);
const keeper = await connectPaused(keeperSocket);
const worker = spawn(process.execPath, [main, "--models", models], {
  stdio: ["ignore", "ignore", "ignore", 0, keeper],
  env: {},
});
keeper.destroy();
// With this process the last end of the gateway's connection is gone, and the unit with it.
worker.once("exit", () => process.exit(0));
// A cell ends its worker when its unit is stopped; nobody else would, and the next task would have it.
process.once("SIGTERM", () => worker.kill("SIGKILL"));
