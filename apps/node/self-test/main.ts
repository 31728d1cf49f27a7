/**
 * A release's own check of itself on this machine, with nobody's rights and no network: do its programs start, does
 * its engine answer, can it read what the node has? Exit code 0 if so; it prints nothing that a prompt could be in.
 *
 *   main.ts --release DIR --state DIR
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DeviceListFolder, GENESIS_FILE } from "../devices/device-list-folder.ts";
import { readCatalogue } from "../models/model-store.ts";
import { statePaths } from "../setup/paths.ts";
import { Engine } from "../worker/engine/engine.ts";
import { rehearse } from "../worker/rehearsal.ts";

/** What each program answers to a call without arguments: it started, and says how to call it. */
const PROGRAMS = { "bin/warden": 2, "bin/cell": 64 } as const;

/** A few words with the demo model. */
const CONTEXT_TOKENS = 512;

const { values } = parseArgs({
  options: { release: { type: "string" }, state: { type: "string" } },
});
const { release, state } = values;
if (release === undefined || state === undefined) process.exit(2);

for (const [program, usage] of Object.entries(PROGRAMS))
  if (spawnSync(join(release, program), { stdio: "ignore" }).status !== usage) fail(program);

const paths = statePaths(state);
// A machine that is being set up has no state yet.
const nodeKey = readIfPresent(join(paths.devicesDir, "node.pub"));
if (nodeKey !== undefined && readIfPresent(join(paths.devicesDir, GENESIS_FILE)) !== undefined) {
  const { current } = new DeviceListFolder(paths.devicesDir, Buffer.from(nodeKey, "hex"));
  if (current.devices.length === 0) fail("the device list");
  readCatalogue(paths.modelsDir);
}

const engine = await Engine.load({
  modelPath: join(release, "models/demo/model.gguf"),
  contextTokens: CONTEXT_TOKENS,
  threads: 1,
  cores: availableParallelism(),
});
await rehearse(engine);
await engine.dispose();

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "ascii");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function fail(what: string): never {
  process.stderr.write(`${what}: not as it must be\n`);
  process.exit(1);
}
