/**
 * Gateway, keeper and clerk hold no plaintext: their memory is searched during and after a chat.
 *
 *   memory.ts [--canary TEXT] [--json]
 *
 * The same search of the worker in the middle of its answer must find the words, else it proves
 * nothing. Needs Linux and the right to read other processes' memory.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ControlSession, Conversation } from "@phantoma/client";
import { scanMemory } from "../memory-scan.ts";
import { processesOf, startNode } from "../node-under-test.ts";
import { Proof } from "../proof.ts";

const { values } = parseArgs({
  options: { canary: { type: "string" }, json: { type: "boolean", default: false } },
});
const canary = values.canary ?? `canary-${randomBytes(12).toString("hex")}`;
const proof = new Proof("Gateway, keeper and clerk hold no plaintext", values.json);
const { node, device } = await startNode({ models: ["echo"] });
const peer = { profile: node.profile, device };

try {
  const control = await ControlSession.open(peer);
  const conversation = await Conversation.open({
    ...peer,
    model: node.defaultModel,
    history: [{ role: "system", text: `Remember ${canary}.` }],
  });
  const turn = { text: `Repeat: ${canary}`, sampling: { temperature: 0, maxTokens: 100_000 } };
  let text = "";
  for await (const event of conversation.turn(turn)) {
    if (event.type !== "delta") break;
    text += event.text;
    if (!text.includes(canary)) continue;
    await control.status();
    scanAll("during the answer", true);
    break;
  }
  proof.row({ name: "the answer itself carried the words", holds: text.includes(canary) });
  await conversation.end();
  await sleep(500);
  scanAll("after the task", false);
  control.close();
} finally {
  await node.stop();
}
process.exitCode = proof.finish();

function scanAll(when: string, isAnswering: boolean): void {
  let workerHits = 0;
  for (const { pid, role } of processesOf(node)) {
    const { hits, scannedBytes } = scanMemory(pid, canary);
    const detail = `${hits} hits in ${(scannedBytes / 1e6).toFixed(0)} MB`;
    // An anchor has its worker's memory.
    if (role === "worker" || role === "anchor") workerHits += hits;
    else
      proof.row({ name: `${role}, ${when}`, holds: hits === 0 && scannedBytes > 0, detail, hits });
  }
  const name = isAnswering ? "the worker's memory must hold the words mid-answer" : "";
  if (isAnswering) proof.control(name, workerHits > 0, `${workerHits} hits`);
  else
    proof.row({
      name: "no living worker holds the words after the task",
      holds: workerHits === 0,
      detail: `${workerHits} hits`,
    });
}
