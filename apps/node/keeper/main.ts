/**
 * The keeper process: holds the node's identity, certifies cells, knows no prompt and no network.
 *
 *   main.ts --state DIR --run DIR --starter systemd|gateway --policy none|demo|enforced
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { importNodeIdentity, Secret } from "@phantoma/crypto";
import { z } from "zod";
import { openLog } from "../log/log.ts";
import { nodeVersion, statePaths, runPaths } from "../setup/paths.ts";
import { Keeper } from "./keeper.ts";

const flags = z
  .strictObject({
    state: z.string(),
    run: z.string(),
    starter: z.enum(["systemd", "gateway"]),
    policy: z.enum(["none", "demo", "enforced"]),
  })
  .parse(
    parseArgs({
      options: {
        state: { type: "string" },
        run: { type: "string" },
        starter: { type: "string" },
        policy: { type: "string" },
      },
    }).values,
  );

const log = openLog("keeper");
const state = statePaths(flags.state);
const secret = new Secret(readFileSync(join(state.keeperDir, "node.key")));
const identity = importNodeIdentity(secret);
secret.erase();

const keeper = new Keeper({
  identity,
  keeperDir: state.keeperDir,
  devicesDir: state.devicesDir,
  modelsDir: state.modelsDir,
  // A development tree has no release; an installed one is named by its bundle's digest.
  installation: { release: new Uint8Array(32), starter: flags.starter, policy: flags.policy },
  version: nodeVersion(),
  log,
});
const run = runPaths(flags.run);
const servers = [
  await keeper.listen("worker", run.keeperForWorkers),
  await keeper.listen("clerk", run.keeperForClerks),
];
log("ready");
process.send?.("ready");

for (const signal of ["SIGTERM", "SIGINT", "disconnect"] as const) process.on(signal, stop);

function stop(): void {
  for (const server of servers) server.close();
  keeper.close();
  // Receipts of the tasks that just ended are in memory only; nothing is left to write.
  process.exit(0);
}
