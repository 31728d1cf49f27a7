/**
 * The tunnel under attack: every attack for real, against real processes, with an honest client
 * that chats all the while and loses nothing.
 *
 *   main.ts [--json] [--canary TEXT] [--only GROUP] [--log]
 *
 * Linux only: it counts, stops and kills the node's processes.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Proof } from "../../proof.ts";
import { attackConnections } from "./connections.ts";
import { beginStalling, stall } from "./stalling.ts";
import { Stage } from "./stage.ts";
import { Trace } from "./trace.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    canary: { type: "string" },
    only: { type: "string" },
    log: { type: "boolean", default: false },
  },
});

/** In this order: what ends every session comes last. */
const groups: Record<string, (stage: Stage) => Promise<void>> = {
  connections: attackConnections,
  stalling: stall,
};

if (values.only && !(values.only in groups)) {
  process.stderr.write(`--only ${Object.keys(groups).join(" | ")}\n`);
  process.exit(2);
}
const proof = new Proof("The tunnel under attack", values.json);
/** Everything that the nodes and this program keep for a while lies under it. */
const temporary = mkdtempSync(join(tmpdir(), "phantoma-attacks-"));
process.env["TMPDIR"] = temporary;
const canary = values.canary ?? `canary-${randomBytes(8).toString("hex")}`;
const trace = new Trace(canary, values.log);
try {
  const flags = ["--warm", "1", "--max-live", "8"];
  const stage = await Stage.open(proof, trace, ["echo"], flags);
  try {
    const judgeStalling = await beginStalling(stage);
    for (const [name, attack] of Object.entries(groups)) {
      if (values.only && values.only !== name) continue;
      proof.say(`\n${name}`);
      await attack(stage);
      await stage.servesNewcomers();
    }
    await judgeStalling();
  } finally {
    await stage.node.stop();
  }
} finally {
  trace.close();
  rmSync(temporary, { recursive: true, force: true });
}
process.exitCode = proof.finish();
