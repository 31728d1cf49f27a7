/**
 * The installer as a process of its own, on another root folder, with its power cut where it is told.
 *
 *   run-installer.ts ROOT update [--cut-at N]
 *   run-installer.ts ROOT first --bundle F --sha256 H
 *
 * In the place of the verifier stands a file that says what was signed: how releases are verified is shown elsewhere,
 * what the installer does with the answer is shown here.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InstallError } from "../../../apps/node/installer/install-error.ts";
import type { VerifiedRelease } from "../../../apps/node/installer/release-verifier.ts";
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
  async verify({ metadataDir }) {
    const said = readFileSync(join(metadataDir, "signed.json"), "utf8");
    const { hasQuorum, ...release } = JSON.parse(said) as VerifiedRelease & { hasQuorum: boolean };
    if (!hasQuorum) throw new Error("1 of 2 signatures");
    return release;
  },
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
  const code = error instanceof InstallError ? error.code : String(error);
  process.stdout.write(JSON.stringify({ error: code, steps }));
}
