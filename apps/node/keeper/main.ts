/**
 * The keeper process: holds the node's identity, certifies cells, knows no prompt and no network.
 *
 *   main.ts --state DIR --run DIR --starter systemd|gateway --policy none|demo|enforced [--cells]
 *
 * With a policy it starts only when the warden says that it is in force: no policy, no node. Without one
 * it has no warden.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { importNodeIdentity, Secret } from "@phantoma/crypto";
import { z } from "zod";
import { openLog } from "../log/log.ts";
import { installedRelease, nodeVersion, runPaths, statePaths } from "../setup/paths.ts";
import { Keeper } from "./keeper.ts";

const flags = z
  .strictObject({
    state: z.string(),
    run: z.string(),
    starter: z.enum(["systemd", "gateway"]),
    policy: z.enum(["none", "demo", "enforced"]),
    cells: z.boolean(),
  })
  .parse(
    parseArgs({
      options: {
        state: { type: "string" },
        run: { type: "string" },
        starter: { type: "string" },
        policy: { type: "string" },
        // Whether workers run in cells, as whoever starts the node made it.
        cells: { type: "boolean", default: false },
      },
    }).values,
  );

/** A warden that is started together with the keeper is there by then. */
const WARDEN_TIMEOUT_MS = 10_000;

const log = openLog("keeper");
const state = statePaths(flags.state);
const run = runPaths(flags.run);
const wardenSocket = flags.policy === "none" ? undefined : run.warden;
const secret = new Secret(readFileSync(join(state.keeperDir, "node.key")));
const identity = importNodeIdentity(secret);
secret.erase();

const keeper = new Keeper({
  identity,
  keeperDir: state.keeperDir,
  devicesDir: state.devicesDir,
  modelsDir: state.modelsDir,
  incomingDir: state.incomingDir,
  ordersDir: state.ordersDir,
  quarantineDir: state.quarantineDir,
  heraldDir: state.heraldDir,
  updatesDir: state.updatesDir,
  outcomeDir: state.outcomeDir,
  ...(wardenSocket === undefined ? {} : { wardenSocket }),
  // A development tree has no release; an installed one is named by its bundle's digest.
  installation: { release: installedRelease(), starter: flags.starter, policy: flags.policy },
  surroundings: {
    hasCells: flags.cells,
    // Under systemd the keeper's sandbox shows it nothing of the machine.
    ...(flags.starter === "systemd" ? { hostReportPath: run.hostReport } : {}),
  },
  version: nodeVersion(),
  log,
});
if (flags.policy !== "none") await assertPolicyInForce();
const servers = [
  await keeper.listen("worker", run.keeperForWorkers),
  await keeper.listen("clerk", run.keeperForClerks),
  await keeper.listenToCells(run.reportsOfCells),
];
log("ready");
process.send?.("ready");

for (const signal of ["SIGTERM", "SIGINT", "disconnect"] as const) process.on(signal, stop);

async function assertPolicyInForce(): Promise<void> {
  const late = setTimeout(() => refuse("ERR_NO_WARDEN"), WARDEN_TIMEOUT_MS);
  if (!keeper.policy) return refuse("ERR_NO_WARDEN");
  await keeper.policy.heard;
  clearTimeout(late);
  if (keeper.policy.fault !== null) refuse("ERR_POLICY");
}

function refuse(code: string): void {
  log("cannot-start", { code });
  process.exit(1);
}

function stop(): void {
  for (const server of servers) server.close();
  keeper.close();
  // Receipts of the tasks that just ended are in memory only; nothing is left to write.
  process.exit(0);
}
