/**
 * The gateway process. In demo mode it makes workers itself; under systemd PID 1 does.
 *
 *   main.ts --state DIR --run DIR --starter systemd|gateway|parent --host ADDRESS --port N --tick MS --warm N --max-live N
 *           --max-waiting N --max-threads N --max-per-device N [--cell PROGRAM|none]
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { DEFAULT_TICK_MS } from "@phantoma/protocol";
import { z } from "zod";
import { DeviceListFolder, SEEN_DEVICES_FILE } from "../devices/device-list-folder.ts";
import { readSuccessions } from "../devices/successions.ts";
import { openLog } from "../log/log.ts";
import { runPaths, statePaths } from "../setup/paths.ts";
import { Gateway } from "./gateway.ts";
import { ParentStarter, type ParentLink } from "./parent-starter.ts";
import { ChildStarter } from "./starter.ts";
import { SystemdStarter } from "./systemd-starter.ts";

const count = z.coerce.number().int().positive();
/** Processes are compiled, or not, all alike. */
const OWN_FILE = basename(import.meta.filename);

const flags = z
  .strictObject({
    state: z.string(),
    run: z.string(),
    starter: z.enum(["systemd", "gateway", "parent"]),
    host: z.string(),
    port: z.coerce.number().int().min(0).max(65_535),
    tick: z.coerce.number().min(1).max(1_000),
    warm: count,
    "max-live": count,
    "max-waiting": count,
    "max-threads": count,
    "max-per-device": count,
    cell: z.string(),
  })
  .parse(
    parseArgs({
      options: {
        state: { type: "string" },
        run: { type: "string" },
        starter: { type: "string", default: "gateway" },
        cell: { type: "string", default: "none" },
        host: { type: "string", default: "127.0.0.1" },
        port: { type: "string", default: "0" },
        tick: { type: "string", default: String(DEFAULT_TICK_MS) },
        warm: { type: "string", default: "2" },
        "max-live": { type: "string", default: "8" },
        "max-waiting": { type: "string", default: "256" },
        // ggml's threads spin at a barrier, so one core is left for everything else.
        "max-per-device": { type: "string", default: "64" },
        "max-threads": {
          type: "string",
          default: String(Math.max(1, availableParallelism() - 1)),
        },
      },
    }).values,
  );

// Connections come in crowds. If the young heap grew with a crowd, it would stay as large: 20 KB for each
// that waits, and more in what OpenSSL could not give back in between.
setFlagsFromString("--semi-space-growth-factor=1");

const log = openLog("gateway");
const state = statePaths(flags.state);
const run = runPaths(flags.run);
const node = Buffer.from(readFileSync(join(state.devicesDir, "node.pub"), "ascii"), "hex");

const { workers, clerks } = { systemd: madeByPid1, gateway: madeByUs, parent: madeByParent }[
  flags.starter
]();
const gateway = new Gateway({
  node,
  tls: {
    key: readFileSync(join(state.gatewayDir, "tls.key"), "ascii"),
    cert: readFileSync(join(state.gatewayDir, "tls.crt"), "ascii"),
  },
  devices: new DeviceListFolder(state.devicesDir, node, join(state.gatewayDir, SEEN_DEVICES_FILE)),
  successions: readSuccessions(state.devicesDir, node),
  modelsDir: state.modelsDir,
  workers,
  clerks,
  tickMs: flags.tick,
  warm: flags.warm,
  maxLive: flags["max-live"],
  maxWaiting: flags["max-waiting"],
  maxThreads: flags["max-threads"],
  maxPerDevice: flags["max-per-device"],
  log,
});
const port = await gateway.listen(flags.host, flags.port);
log("ready", { port });
process.send?.({ port });

for (const signal of ["SIGTERM", "SIGINT", "disconnect"] as const) process.on(signal, stop);

function madeByPid1() {
  return {
    workers: new SystemdStarter(run.workerStarter),
    clerks: new SystemdStarter(run.clerkStarter),
  };
}

function madeByParent() {
  const parent = process as unknown as ParentLink;
  return {
    workers: new ParentStarter(parent, "worker"),
    clerks: new ParentStarter(parent, "clerk"),
  };
}

function madeByUs() {
  const cell = flags.cell === "none" ? undefined : flags.cell;
  return {
    workers: new ChildStarter({
      entry: fileURLToPath(new URL(`../worker/${OWN_FILE}`, import.meta.url)),
      args: ["--models", state.modelsDir],
      keeperSocket: run.keeperForWorkers,
      cell,
      reportSocket: run.reportsOfCells,
    }),
    clerks: new ChildStarter({
      entry: fileURLToPath(new URL(`../clerk/${OWN_FILE}`, import.meta.url)),
      args: [],
      keeperSocket: run.keeperForClerks,
      cell,
    }),
  };
}

function stop(): void {
  gateway.stop();
  void Promise.all([workers.stop(), clerks.stop()]).then(() => process.exit(0));
}
