/**
 * No cross-talk: many tasks at once, each with its own words, each in a process of its own.
 *
 *   crosstalk.ts [--tasks N] [--at-once N] [--canary TEXT] [--json]
 *
 * The model repeats its prompt, so a worker that had seen another's words would say them. All tasks
 * share a long beginning, the recipe by which servers with shared caches mixed conversations up. After them
 * the node holds what it held before: memory, descriptors, processes, mounts, files.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Conversation, ControlSession, withRetry } from "@phantoma/client";
import { argumentsOf, countOf, flag } from "../arguments.ts";
import { footprintOf, type Footprint } from "../footprint.ts";
import { processesOf, startNode } from "../node-under-test.ts";
import { Proof } from "../proof.ts";

const values = argumentsOf({
  tasks: { type: "string", default: "1000" },
  "at-once": { type: "string", default: "24" },
  canary: { type: "string", default: "canary" },
  json: flag,
});
const taskCount = countOf("tasks", values.tasks, 2, 100_000);
const atOnce = countOf("at-once", values["at-once"], 1, 64);
/** A word of this run that cannot occur by chance; the stranger's text with marks that find it again. */
const run = randomBytes(4).toString("hex");
/** Young heaps and pools have their size after these. */
const firstTasks = Math.ceil(taskCount / 5);
/** What a heap may be larger by at one time than at another, in KiB. */
const HEAP_SLACK_KIB = 24 * 1024;
/** A worker lives for longer: it loads a model before it has a task. Each look reads files of thirty processes. */
const LOOK_MS = 150;
/** The last workers end, and their replacements become warm, in milliseconds. */
const SETTLE_MS = 30_000;
const canaryOf = (task: number) => `<${values.canary}-${run}-${task}>`;
const anyCanary = new RegExp(`-${run}-(\\d+)>`, "g");

const proof = new Proof(`No cross-talk: ${taskCount} tasks, ${atOnce} at once`, values.json);
const flags = ["--warm", "3", "--max-live", "8", "--max-per-device", String(atOnce)];
const under = await startNode({ models: ["echo"], gatewayFlags: flags });
const { node, device, dir } = under;
const peer = { profile: node.profile, device };

const answers = new Map<number, string>();
const failures: string[] = [];
const workerKeys = new Set<string>();
const workerPids = new Set<number>();
let next = 0;

try {
  const watch = setInterval(countWorkers, LOOK_MS);
  await runTasks(firstTasks);
  const before = await settled();
  await runTasks(taskCount);
  clearInterval(watch);
  await report();
  await reportFootprint(before);
} finally {
  await node.stop();
}
proof.row({ name: "nothing is left", holds: !existsSync(dir) && processesOf(node).length === 0 });
process.exitCode = proof.finish();

function runTasks(upTo: number): Promise<unknown> {
  return Promise.all(Array.from({ length: atOnce }, () => client(upTo)));
}

async function client(upTo: number): Promise<void> {
  while (next < upTo) {
    const task = next++;
    try {
      answers.set(task, await runTask(task));
    } catch (error) {
      failures.push(`task ${task}: ${(error as Error).message}`);
    }
    if (answers.size % 100 === 0) proof.say(`  … ${answers.size} tasks`);
  }
}

/** Every other task is a conversation of two turns, the rest are single turns. */
async function runTask(task: number): Promise<string> {
  const isConversation = task % 2 === 0;
  const conversation = await withRetry(
    () =>
      Conversation.open({
        ...peer,
        model: node.defaultModel,
        mode: isConversation ? "conversation" : "turn",
        history: [
          { role: "system", text: "You repeat what you are told, and nothing else. ".repeat(4) },
        ],
      }),
    { attempts: 20 },
  );
  workerKeys.add(Buffer.from(conversation.certificate.key).toString("hex"));
  const turn = { text: canaryOf(task), sampling: { temperature: 0, maxTokens: 120 } };
  let { text } = await conversation.ask(turn);
  if (isConversation) text += (await conversation.ask({ ...turn, text: "once more" })).text;
  if (isConversation) await conversation.end();
  else await conversation.closed;
  return text;
}

function countWorkers(): void {
  for (const { pid, role } of processesOf(node)) if (role === "worker") workerPids.add(pid);
}

async function report(): Promise<void> {
  proof.row({
    name: "every task was answered",
    holds: answers.size === taskCount,
    detail: `${answers.size} of ${taskCount}${failures[0] ? `; ${failures[0]}` : ""}`,
  });
  const own = [...answers].filter(([task, text]) => text.includes(canaryOf(task)));
  proof.row({
    name: "every answer holds its own words",
    holds: own.length === taskCount,
    detail: `${own.length} of ${taskCount}`,
  });
  const foreign = [...answers].reduce((sum, [task, text]) => sum + foreignWords(task, text), 0);
  proof.row({
    name: "no answer holds another's words",
    holds: foreign === 0,
    detail: `${foreign} found`,
  });
  const swapped = [...answers].reduce((sum, [task, text]) => sum + foreignWords(task + 1, text), 0);
  proof.control(
    "answers given to the wrong task are found",
    swapped >= taskCount,
    `${swapped} found`,
  );
  proof.row({
    name: "every task had a key of its own",
    holds: workerKeys.size === taskCount,
    detail: `${workerKeys.size} keys`,
  });
  proof.row({
    name: "every task had a process of its own",
    holds: workerPids.size >= taskCount,
    detail: `${workerPids.size} worker processes seen`,
  });
  const control = await ControlSession.open(peer);
  const { tasksLive, tasksDone } = await control.status();
  control.close();
  proof.row({
    name: "the keeper counts them all as ended",
    holds: tasksDone === taskCount && tasksLive === 0,
    detail: `${tasksDone} done, ${tasksLive} live`,
  });
}

/** What there is once nothing has changed for a second. */
async function settled(): Promise<Footprint> {
  const late = Date.now() + SETTLE_MS;
  for (;;) {
    const before = footprintOf(under);
    await sleep(1_000);
    const now = footprintOf(under);
    const isStill = [...now].every(([what, count]) => isMemory(what) || before.get(what) === count);
    if (isStill || Date.now() > late) return now;
  }
}

async function reportFootprint(before: Footprint): Promise<void> {
  for (const [what, count] of await settled()) {
    const was = before.get(what) ?? 0;
    proof.row({
      name: `${taskCount - firstTasks} tasks later, no more: ${what}`,
      holds: count <= was + (isMemory(what) ? HEAP_SLACK_KIB : 0),
      detail: `${was}, then ${count}`,
    });
  }
  const alone = footprintOf(under).get("gateway's descriptors")!;
  const session = await ControlSession.open(peer);
  const held = footprintOf(under).get("gateway's descriptors")!;
  session.close();
  proof.control(
    "a connection that is left open is counted",
    held > alone,
    `${alone}, then ${held}`,
  );
}

function isMemory(what: string): boolean {
  return what.endsWith("KiB");
}

function foreignWords(task: number, text: string): number {
  return [...text.matchAll(anyCanary)].filter(([, number]) => Number(number) !== task).length;
}
