/**
 * The installer as a process of its own, on another root folder, with its power cut where it is told.
 *
 *   run-installer.ts ROOT update [--cut-at N]
 *   run-installer.ts ROOT first --bundle F --sha256 H
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InstallError } from "../../../apps/node/installer/install-error.ts";
import { openInstaller } from "../../../apps/node/installer/run.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    "cut-at": { type: "string" },
    bundle: { type: "string", default: "" },
    sha256: { type: "string", default: "" },
  },
});
const [root = "", command] = positionals;
const cutAt = Number(values["cut-at"] ?? Number.POSITIVE_INFINITY);
let steps = 0;

const installer = openInstaller({
  root,
  // This program lies outside the release; the installer itself looks beside itself, which is here.
  anchorPath: join(root, "opt/phantoma/proven/anchor.json"),
  onStep() {
    steps += 1;
    // Nothing runs after this, no handler and no clean-up: as without power.
    if (steps === cutAt) process.kill(process.pid, "SIGKILL");
  },
});

try {
  const version = await (command === "first"
    ? installer.first(values.bundle, values.sha256)
    : installer.update());
  process.stdout.write(JSON.stringify({ version, steps }));
} catch (error) {
  const isOurs = error instanceof InstallError;
  process.stdout.write(
    JSON.stringify({ error: isOurs ? error.code : String(error), about: String(error), steps }),
  );
}
