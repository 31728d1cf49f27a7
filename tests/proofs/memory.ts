/**
 * Gateway, keeper and clerk hold no plaintext: their memory is searched during and after a chat. And no process
 * of the node has it in a file: open files, the node's folders and all file systems in memory are searched.
 *
 *   memory.ts [--canary TEXT] [--json]
 *
 * The same search of the worker in the middle of its answer must find the words, else it proves
 * nothing. Needs Linux and the right to read other processes' memory.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ControlSession, Conversation } from "@phantoma/client";
import { argumentsOf, flag, text } from "../arguments.ts";
import { memoryMounts, scanFolder, scanOpenFiles } from "../file-scan.ts";
import { scanMemory } from "../memory-scan.ts";
import { processesOf, startNode } from "../node-under-test.ts";
import { Proof } from "../proof.ts";

const values = argumentsOf({ canary: text, json: flag });
const canary = values.canary ?? `canary-${randomBytes(12).toString("hex")}`;
const proof = new Proof("Gateway, keeper and clerk hold no plaintext", values.json);
const { node, device, dir } = await startNode({ models: ["echo"] });
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
    showFiles("during the answer");
    plantOne();
    break;
  }
  proof.row({ name: "the answer itself carried the words", holds: text.includes(canary) });
  await conversation.end();
  await sleep(500);
  scanAll("after the task", false);
  showFiles("after the task");
  control.close();
} finally {
  await node.stop();
}
process.exitCode = proof.finish();

function scanAll(when: string, isAnswering: boolean): void {
  let workerHits = 0;
  for (const { pid, role } of processesOf(node)) {
    // It ended while others were searched.
    if (!existsSync(`/proc/${pid}/mem`)) continue;
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

function scanFiles(): { readonly hits: number; readonly files: number } {
  const processes = processesOf(node);
  const mounts = new Set(processes.flatMap(({ pid }) => memoryMounts(pid)));
  const scans = [
    ...processes.map(({ pid }) => scanOpenFiles(pid, canary)),
    ...[dir, ...mounts].map((folder) => scanFolder(folder, canary)),
  ];
  const total = (of: (scan: (typeof scans)[0]) => number) =>
    scans.reduce((sum, scan) => sum + of(scan), 0);
  return { hits: total(({ hits }) => hits), files: total(({ files }) => files) };
}

function showFiles(when: string): void {
  const { hits, files } = scanFiles();
  const detail = `${hits} hits in ${files} files`;
  proof.row({ name: `no file, ${when}`, holds: hits === 0 && files > 0, detail, hits });
}

/** Where a worker could have put one: a file system in memory that it sees. */
function plantOne(): void {
  const worker = processesOf(node).find(({ role }) => role === "worker")!;
  const folder = join("/proc", String(worker.pid), "root", "dev", "shm");
  const path = join(folder, `phantoma-proof-${process.pid}`);
  try {
    writeFileSync(path, canary, { flag: "wx", mode: 0o600 });
    const { hits } = scanFiles();
    proof.control("a file in memory with the words must be found", hits > 0, `${hits} hits`);
  } finally {
    rmSync(path, { force: true });
  }
}
