/**
 * Devices of a real node: paired by codes and six words, limited by role, revoked in the middle of a chat, compared,
 * away for a while, lost and restored from a kit; every false list refused; and a locked console whose disk has neither
 * key nor word.
 *
 *   main.ts [--json]
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argumentsOf, flag } from "../../arguments.ts";
import { startNode } from "../../node-under-test.ts";
import { Proof } from "../../proof.ts";
import { showAway } from "./away.ts";
import { showKits } from "./kits.ts";
import { showLists } from "./lists.ts";
import { showLock } from "./lock.ts";
import { Machine } from "./machine.ts";
import { showNextKey } from "./next-key.ts";
import { showPairing } from "./pairing.ts";
import { showRoles } from "./roles.ts";

const values = argumentsOf({ json: flag });
const proof = new Proof("Devices: paired, limited, revoked, restored, locked", values.json);
/** Keys of devices lie below it. */
const temporary = mkdtempSync(join(tmpdir(), "phantoma-devices-"));
process.env["TMPDIR"] = temporary;

try {
  await showDemoNode();
  await showNextKey(proof);
} finally {
  rmSync(temporary, { recursive: true });
}
process.exitCode = proof.finish();

async function showDemoNode(): Promise<void> {
  const started = await startNode({ models: ["echo"], gatewayFlags: ["--warm", "1"] });
  const { node, device } = started;
  try {
    const desk = new Machine(device).knows(node.profile);
    const phone = await showPairing(proof, node, desk);
    await showRoles(proof, node, desk, phone);
    await showLists(proof, node, desk);
    await showAway(proof, started, desk);
    await showLock(proof, node, desk);
    // Last: the desk is lost there.
    await showKits(proof, node, desk);
  } finally {
    await node.stop();
  }
}
