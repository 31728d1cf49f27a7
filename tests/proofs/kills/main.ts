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
import type { Receipt } from "@phantoma/crypto";
import { argumentsOf, flag, oneOf } from "../../arguments.ts";
import { Proof } from "../../proof.ts";
import { isClear } from "./client.ts";
import { KilledNode, NEXT_MS, within } from "./killed-node.ts";
import * as processes from "./node-processes.ts";
import { scanDisk, scanFiles, scanProcesses } from "./search.ts";
import { steps, victims, type Step, type Victim } from "./steps.ts";
import { makeStoppingNode } from "./stopping-node.ts";

const values = argumentsOf({
  step: { type: "string", multiple: true, default: steps.map(({ name }) => name) },
  kill: { type: "string", multiple: true, default: [...victims] },
  canary: { type: "string", default: "canary" },
  json: flag,
});

const stepNames = steps.map(({ name }) => name);
for (const name of values.step) oneOf("step", name, stepNames);
for (const role of values.kill) oneOf("kill", role, victims);

const RECEIPT_MS = 20_000;
/** From the kill. What does not end by itself is ended by force after 60 s, which would hide that it was left. */
const REST_MS = 55_000;
/** A process that was forked and has no program of its own yet looks like one left behind. */
const FORK_MS = 10_000;
/** A gateway that stands still so long has told nothing. */
const SILENCE_MS = 2_000;

const proof = new Proof("Killed at every step of a task", values.json);
/** Nobody else's words, also when a stranger's are on this command line. */
const run = `${values.canary}-${randomBytes(6).toString("hex")}`;
let tasks = 0;
const newWord = () => `${run}-${(tasks += 1)}`;
const inMidAnswer = steps.find(({ name }) => name === "in mid-answer")!;
const inMidWipe = steps.find(({ name }) => name === "a part is overwritten")!;

const dir = mkdtempSync(join(tmpdir(), "phantoma-proof-"));
// Whatever a process of the node wrote without a place of its own would lie here.
process.env["TMPDIR"] = join(dir, "tmp");
mkdirSync(process.env["TMPDIR"]);
process.chdir(dir);
const marker = join(dir, "began");
writeFileSync(marker, "");
const written = [join(dir, "node"), process.env["TMPDIR"]];
const programs = makeStoppingNode(join(dir, "programs"));
const killed = await KilledNode.start(programs, join(dir, "node"));
const { node } = killed;

try {
  if (node.profile.policy !== "demo") throw new Error(`no kernel policy: ${node.policyReason}`);
  await showControls();
  await showHang();
  await showWaitingWipe();
  for (const step of steps.filter(({ name }) => values.step.includes(name)))
    for (const victim of step.victims ?? victims)
      if (values.kill.includes(victim)) await show(step, victim);
  showDisk();
  await showFirstProcess();
} finally {
  await node.stop();
  rmSync(dir, { recursive: true, force: true });
}
process.exitCode = proof.finish();

async function show(step: Step, victim: Victim): Promise<void> {
  const word = newWord();
  const old = new Set(processes.runningBelow(dir).keys());
  const { isReached, seen, at } = await killed.killAt(step, victim, word);
  const toldMs = Date.now() - at;
  const isNextWorking = await killed.nextTask(newWord);
  const nextMs = Date.now() - at;
  // One that is not owed may be there: a worker may have come as far as its certificate meanwhile.
  const isOwed = step.isCertified === true && victim !== "keeper";
  const receipt = await killed.newReceipt(seen?.task, isOwed ? RECEIPT_MS : 0);
  // Nothing may be said to have finished that did not, as the device saw it.
  const isHonest = receipt?.cell?.end !== "finished" || seen?.isWhole === true;
  const isAtRest = await processes.until(() => killed.isResting, at + REST_MS - Date.now());
  const orphans = await leftBehind();
  const { hits, files } = scanFiles(node, written, word);
  const held = scanProcesses(node, old, word);
  const said = seen ? seen.how + (seen.isWhole ? ", the answer whole" : "") : "nothing";
  proof.row({
    name: `${victim} killed when ${step.name}`,
    holds:
      isReached &&
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
      ...(isReached ? [] : ["nobody came to that step"]),
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

async function leftBehind(): Promise<string[]> {
  let orphans: string[] = [];
  const isNobody = () => (orphans = processes.orphansOf(dir, node)).length === 0;
  await processes.until(isNobody, FORK_MS);
  return orphans;
}

function endOf({ cell, warden }: Receipt): string {
  return `${cell?.end ?? "no cell's part"}, ${warden ? "witnessed" : "no witness"}`;
}

/** The same looks at what they must find; and the node as it is when nobody was killed. */
async function showControls(): Promise<void> {
  const isWorking = await killed.nextTask(newWord);
  const isAtRest = await processes.until(() => killed.isResting, NEXT_MS);
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
  await processes.until(() => processes.runningBelow(dir).has(orphan.pid!), NEXT_MS);
  const orphans = processes.orphansOf(dir, node);
  orphan.kill("SIGKILL");
  proof.control("a process left behind must be found", orphans.length === 1, orphans.join());
}

/** A gateway that stands still says nothing; and the words are in the memory of a worker that lives. */
async function showHang(): Promise<void> {
  const word = newWord();
  const { pids, task } = await killed.standStill(inMidAnswer, word);
  const held = scanProcesses(node, new Set([pids.worker!]), word);
  process.kill(pids.gateway!, "SIGSTOP");
  processes.signal(pids.worker!, "SIGCONT");
  const seen = await within(task, SILENCE_MS);
  processes.signal(pids.gateway!, "SIGCONT");
  const { task: name } = await task;
  proof.control("words in the memory of a process must be found", held > 0, `${held} hits`);
  proof.control("a device that is told nothing must be noticed", seen === undefined);
  await killed.newReceipt(name, RECEIPT_MS);
  await processes.until(() => killed.isResting, NEXT_MS);
}

/** A cell that would take for ever keeps no other task waiting. */
async function showWaitingWipe(): Promise<void> {
  const { pids, task, isReached } = await killed.standStill(inMidWipe, newWord());
  const isNextWorking = isReached && (await killed.nextTask(newWord));
  const isStill = processes.isStopped(pids.cell);
  processes.signal(pids.cell!, "SIGCONT");
  const { task: name } = await task;
  const receipt = await killed.newReceipt(name, RECEIPT_MS);
  const isAtRest = await processes.until(() => killed.isResting, REST_MS);
  proof.row({
    name: "while the overwriting stands still another task is done, and then it is finished",
    holds: isNextWorking && isStill && receipt?.cell?.end === "finished" && isAtRest,
    detail: [
      isNextWorking ? "the next task was done" : "no next task",
      `its cell ${isStill ? "still stood" : "had gone on"}`,
      `receipt: ${receipt ? endOf(receipt) : "none"}`,
    ].join("; "),
  });
}

/** Of everybody, since the beginning. */
function showDisk(): void {
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
  const { pids, task } = await killed.standStill(inMidAnswer, newWord());
  process.kill(node.pid, "SIGKILL");
  processes.signal(pids.worker!, "SIGCONT");
  const seen = await within(task, REST_MS);
  const isAlone = await processes.until(() => processes.runningBelow(dir).size === 0, REST_MS);
  const left = [...processes.runningBelow(dir).values()];
  const next = await KilledNode.start(programs, join(dir, "next"));
  const again = await next.run(newWord());
  await next.node.stop();
  proof.row({
    name: "the node's first process killed in mid-answer: all of the node ends, and another one works",
    holds: seen !== undefined && isClear(seen) && isAlone && again.how === "ended",
    detail: `told ${seen?.how ?? "nothing"}; ${left.length} left behind ${left.join(", ")}; then ${again.how}`,
  });
}
