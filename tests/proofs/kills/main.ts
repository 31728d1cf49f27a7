/**
 * Gateway, keeper, warden, cell and worker are killed at every step of a task: no words of it are in a file or
 * in a process that lives on, nobody is left behind, the device is told clearly, and the next task works.
 *
 *   main.ts [--step NAME …] [--kill gateway|keeper|warden|cell|worker …] [--canary TEXT] [--json]
 *
 * The node is a demo node under the kernel policy, with its own code and one line more: whoever comes to the
 * step stands still there until somebody was killed. Needs root.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ControlSession, LocalNode, withRetry } from "@phantoma/client";
import { generateDeviceIdentity, type Receipt } from "@phantoma/crypto";
import { cachedModel } from "../../node-under-test.ts";
import { Proof } from "../../proof.ts";
import { isClear, runTask, type Seen } from "./client.ts";
import * as processes from "./node-processes.ts";
import { scanDisk, scanFiles, scanProcesses } from "./search.ts";
import { steps, victims, type Step, type Victim } from "./steps.ts";
import { makeStoppingNode } from "./stopping-node.ts";

const { values } = parseArgs({
  options: {
    step: { type: "string", multiple: true, default: steps.map(({ name }) => name) },
    kill: { type: "string", multiple: true, default: [...victims] },
    canary: { type: "string", default: "canary" },
    json: { type: "boolean", default: false },
  },
});

/** To come to a step takes milliseconds, to start a worker a second or two; a crowded machine has its time. */
const STEP_MS = 120_000;
/** It takes milliseconds, and what of it is told by a restarted process a second or two. */
const ERROR_MS = 30_000;
/** Everything is started again in a second or two, and a pool that failed waits for up to ten. */
const NEXT_MS = 120_000;
const RECEIPT_MS = 20_000;

const proof = new Proof("Killed at every step of a task", values.json);
/** Nobody else's words, also when a stranger's are on this command line. */
const run = `${values.canary}-${randomBytes(6).toString("hex")}`;
let tasks = 0;
const newWord = () => `${run}-${(tasks += 1)}`;

const dir = mkdtempSync(join(tmpdir(), "phantoma-proof-"));
// Whatever a process of the node wrote without a place of its own would lie here.
process.env["TMPDIR"] = join(dir, "tmp");
mkdirSync(process.env["TMPDIR"]);
process.chdir(dir);
const marker = join(dir, "began");
writeFileSync(marker, "");
const device = generateDeviceIdentity();
const model = await cachedModel("echo");
const written = [join(dir, "node"), process.env["TMPDIR"]];
const { nodeDir, stopAt } = makeStoppingNode(join(dir, "programs"));
const node = await startNode("node");
/** Who had the last task: it may be about to end. */
let used: number | undefined;
/** Tasks whose receipts are no news. */
const known = new Set<string>();

try {
  if (node.profile.policy !== "demo") throw new Error(`no kernel policy: ${node.policyReason}`);
  await showControls();
  for (const step of steps.filter(({ name }) => values.step.includes(name)))
    for (const victim of step.victims ?? victims)
      if (values.kill.includes(victim)) await show(step, victim);
  await showDisk();
  await showFirstProcess();
} finally {
  await node.stop();
  rmSync(dir, { recursive: true, force: true });
}
process.exitCode = proof.finish();

function startNode(name: string): Promise<LocalNode> {
  return LocalNode.start({
    nodeDir,
    dir: join(dir, name),
    device,
    models: [{ path: model }],
    // One worker at a time: whose memory and whose steps they are is not in question.
    gatewayFlags: ["--warm", "1", "--max-live", "1"],
  });
}

async function show(step: Step, victim: Victim): Promise<void> {
  const name = `${victim} killed when ${step.name}`;
  const word = newWord();
  const old = new Set(processes.runningBelow(dir).keys());
  const { of, seen, killedAt } = await killAt(step, victim, word);
  if (!of) {
    const detail = `nobody came to that step; the device was told ${seen?.how}: ${seen?.message}`;
    return proof.row({ name, holds: false, detail });
  }
  const toldMs = Date.now() - killedAt;
  const isNextWorking = await nextTask();
  const nextMs = Date.now() - killedAt;
  const isOwed = step.isCertified === true && victim !== "keeper";
  const receipt = await receiptOf(seen?.task, isOwed ? RECEIPT_MS : 0);
  // Nothing may be said to have finished that did not, as the device saw it.
  // A receipt that is not owed may be there: a worker may have come as far as its certificate meanwhile.
  const isHonest = receipt?.cell?.end !== "finished" || seen?.isWhole === true;
  const isAtRest = await processes.until(isResting, NEXT_MS);
  const orphans = processes.orphansOf(dir, node);
  const { hits, files } = scanFiles(node, written, word);
  const held = scanProcesses(node, old, word);
  const said = seen ? seen.how + (seen.isWhole ? ", the answer whole" : "") : "nothing";
  proof.row({
    name,
    holds:
      seen !== undefined &&
      isClear(seen) &&
      isNextWorking &&
      (!isOwed || receipt !== undefined) &&
      isHonest &&
      isAtRest &&
      orphans.length === 0 &&
      hits + held === 0 &&
      files > 0,
    detail: [
      `told ${said} after ${toldMs} ms`,
      isNextWorking ? `next task done after ${nextMs} ms` : "no next task",
      `receipt: ${receipt ? endOf(receipt) : "none"}`,
      `${orphans.length} left behind${orphans.length > 0 ? ` (${orphans.join(", ")})` : ""}`,
      ...(isAtRest ? [] : [`not as before: ${processes.rolesOf(node)}`]),
      `${hits} hits in ${files} files, ${held} in memory`,
    ].join("; "),
    step: step.name,
    killed: victim,
    told: seen?.how ?? null,
    isWhole: seen?.isWhole ?? null,
    toldMs,
    nextMs,
    orphans: orphans.length,
    hits,
    held,
    cell: receipt?.cell?.end ?? null,
  });
}

/** @returns whose step it was, if anybody came to it, and what the device saw within the limit */
async function killAt(step: Step, victim: Victim, word: string) {
  const warm = processes.pidsOf(node);
  stopAt(step);
  // Only a worker that is started now comes to its first step.
  if (step.isUnassigned) process.kill(warm.worker!, "SIGKILL");
  const isTask = () => !step.isUnassigned;
  let isQueued = false;
  const task = runTask({ node, device, word, onQueued: () => (isQueued = true) });
  const pids = () => (isTask() ? warm : processes.pidsOf(node, warm.worker));
  const isWaiting = () => isTask() || isQueued || step.of === "gateway";
  const isThere = () => {
    const { [step.of]: one, worker } = pids();
    return processes.isStopped(one) && worker !== undefined && isWaiting();
  };
  const isReached = await processes.until(isThere, STEP_MS);
  const there = pids();
  stopAt(undefined);
  const killedAt = Date.now();
  if (isReached) {
    processes.signal(there[victim]!, "SIGKILL");
    await processes.until(() => processes.isGone(there[victim]!), STEP_MS);
    if (step.of !== victim) processes.signal(there[step.of]!, "SIGCONT");
  }
  const seen = await within(task, ERROR_MS);
  return { of: isReached ? there[step.of] : undefined, seen, killedAt };
}

async function within(task: Promise<Seen>, timeoutMs: number): Promise<Seen | undefined> {
  const late = new AbortController();
  const limit = sleep(timeoutMs, undefined, { signal: late.signal }).catch(() => undefined);
  return Promise.race([task, limit]).finally(() => late.abort());
}

/** As a person tries again. */
async function nextTask(): Promise<boolean> {
  const late = Date.now() + NEXT_MS;
  const onOpened = () => (used = processes.pidsOf(node).worker);
  while (Date.now() < late) {
    const seen = await within(runTask({ node, device, word: newWord(), onOpened }), NEXT_MS);
    if (seen?.task) known.add(nameOf(seen.task));
    if (seen?.isWhole && seen.how === "ended") return true;
    await sleep(100);
  }
  return false;
}

/** Everybody is there once, and the worker is one that has no task. */
function isResting(): boolean {
  return (
    (used === undefined || processes.isGone(used)) && processes.rolesOf(node) === processes.AT_REST
  );
}

function nameOf(task: Uint8Array): string {
  return Buffer.from(task).toString("hex");
}

/** @param task `undefined` where it was cut before the device had heard of its worker: then the one nobody knows */
async function receiptOf(
  task: Uint8Array | undefined,
  timeoutMs: number,
): Promise<Receipt | undefined> {
  const isIt = (receipt: Receipt) =>
    task ? nameOf(receipt.task) === nameOf(task) : !known.has(nameOf(receipt.task));
  const open = () => ControlSession.open({ profile: node.profile, device });
  const control = await withRetry(open, { attempts: 10 });
  try {
    for (const late = Date.now() + timeoutMs; ; await sleep(50)) {
      const receipts = (await control.receipts({ limit: 10 })).map((one) => one.receipt);
      const found = receipts.find(isIt);
      if (found || Date.now() > late) {
        for (const receipt of receipts) known.add(nameOf(receipt.task));
        return found;
      }
    }
  } finally {
    control.close();
  }
}

function endOf({ cell, warden }: Receipt): string {
  return `${cell?.end ?? "no cell's part"}, ${warden ? "witnessed" : "no witness"}`;
}

/** The same looks at what they must find; and the node as it is when nobody was killed. */
async function showControls(): Promise<void> {
  const isWorking = await nextTask();
  const isAtRest = await processes.until(isResting, NEXT_MS);
  proof.row({
    name: "nobody killed: a task is done, and the node is at rest again",
    holds: isWorking && isAtRest,
    detail: processes.rolesOf(node),
  });
  const word = newWord();
  const planted = join(dir, "node", "state", "planted");
  writeFileSync(planted, Buffer.from(word, "utf16le"));
  const { hits } = scanFiles(node, written, word);
  rmSync(planted);
  proof.control("a file with the words must be found", hits === 1, `${hits} found`);
  const script = join(dir, "orphan.mjs");
  writeFileSync(script, "setInterval(() => undefined, 1000);");
  const orphan = spawn(process.execPath, [script], { stdio: "ignore" });
  await processes.until(() => processes.runningBelow(dir).has(orphan.pid!), STEP_MS);
  const orphans = processes.orphansOf(dir, node);
  orphan.kill("SIGKILL");
  proof.control("a process left behind must be found", orphans.length === 1, orphans.join());
  await showHang();
}

/** A gateway that stands still says nothing; and the words are in the memory of a worker that lives. */
async function showHang(): Promise<void> {
  const step = steps.find(({ name }) => name === "in mid-answer")!;
  const { gateway, worker } = processes.pidsOf(node);
  const word = newWord();
  stopAt(step);
  const task = runTask({ node, device, word });
  await processes.until(() => processes.isStopped(worker), STEP_MS);
  stopAt(undefined);
  const held = scanProcesses(node, new Set([worker!]), word);
  process.kill(gateway!, "SIGSTOP");
  processes.signal(worker!, "SIGCONT");
  const seen = await within(task, 2_000);
  processes.signal(gateway!, "SIGCONT");
  const { task: name } = await task;
  if (name) known.add(nameOf(name));
  proof.control("words in the memory of a process must be found", held > 0, `${held} hits`);
  proof.control("a device that is told nothing must be noticed", seen === undefined);
  used = worker;
  await processes.until(isResting, NEXT_MS);
}

/** Of everybody, since the beginning. */
async function showDisk(): Promise<void> {
  const planted = join(dir, "planted");
  writeFileSync(planted, newWord());
  const control = scanDisk(marker, run);
  rmSync(planted);
  proof.control("a file of the disk with the words must be found", control.hits === 1);
  const { hits, files, skipped, found } = scanDisk(marker, run);
  proof.row({
    name: "no file of this machine that was written meanwhile has a word of any task",
    holds: hits === 0 && files > 0,
    detail: `${hits} hits in ${files} files; ${skipped} over 64 MiB were not read ${found.join(" ")}`,
    hits,
    files,
    skipped,
  });
}

/** Nobody restarts it: all of the node goes with it, and what it could not remove the next node removes. */
async function showFirstProcess(): Promise<void> {
  const { worker } = processes.pidsOf(node);
  const word = newWord();
  stopAt(steps.find(({ name }) => name === "in mid-answer"));
  const task = runTask({ node, device, word });
  await processes.until(() => processes.isStopped(worker), STEP_MS);
  stopAt(undefined);
  process.kill(node.pid, "SIGKILL");
  processes.signal(worker!, "SIGCONT");
  const seen = await within(task, ERROR_MS);
  const isAlone = await processes.until(() => processes.runningBelow(dir).size === 0, NEXT_MS);
  const left = [...processes.runningBelow(dir).values()];
  const next = await startNode("next");
  const again = await runTask({ node: next, device, word: newWord() });
  await next.stop();
  proof.row({
    name: "the node's first process killed in mid-answer: all of the node ends, and another one works",
    holds: seen !== undefined && isClear(seen) && isAlone && again.how === "ended",
    detail: `told ${seen?.how ?? "nothing"}; ${left.length} left behind ${left.join(", ")}; then ${again.how}`,
  });
}
