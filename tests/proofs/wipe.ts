/**
 * What a worker held is overwritten when it has ended, however it ends: its memory is kept from being freed,
 * and after its death no byte of it may be other than zero, whatever it was: words, token ids, KV cache, keys.
 *
 *   wipe.ts [--json]
 *
 * Each ending is that of a real chat. Of what the worker had mapped at its end every page is looked at but those of
 * files that are as their file is, and the kernel's own. Controls are the same on a node without cells, and with
 * nobody left to overwrite. What the kernel got back while the worker lived is not looked at: the node's wipe grade
 * speaks of that.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ControlSession, Conversation } from "@phantoma/client";
import type { Receipt } from "@phantoma/crypto";
import { argumentsOf, flag } from "../arguments.ts";
import { scanMemory } from "../memory-scan.ts";
import { processesOf, startNode, type NodeUnderTest } from "../node-under-test.ts";
import { buildCellTests, PostMortem, WORD_BYTES } from "../post-mortem.ts";
import { Proof } from "../proof.ts";

const values = argumentsOf({ json: flag });
const proof = new Proof("A worker's memory is overwritten at its end", values.json);
buildCellTests();

const FAULT = fileURLToPath(new URL("../fault.ts", import.meta.url));

interface Ending {
  readonly name: string;
  readonly isMidAnswer?: boolean;
  readonly end: (conversation: Conversation, worker: number) => Promise<void> | void;
  /** What the receipt's cell part must say. */
  readonly says: string;
}

const endings: readonly Ending[] = [
  { name: "the conversation is ended", end: (one) => one.end(), says: "finished" },
  { name: "the client vanishes", end: (one) => one.drop(), says: "disconnected" },
  {
    name: "the client vanishes in mid-answer",
    isMidAnswer: true,
    end: (one) => one.drop(),
    says: "disconnected",
  },
  {
    name: "kill -9 in mid-answer",
    isMidAnswer: true,
    end: (_one, worker) => void process.kill(worker, "SIGKILL"),
    says: "killed",
  },
  {
    name: "segmentation fault in mid-answer",
    isMidAnswer: true,
    end: (_one, worker) => void execFileSync(process.execPath, [FAULT, `${worker}`, "Repeat: "]),
    says: "crashed",
  },
  {
    name: "kill -9 of its cell in mid-answer",
    isMidAnswer: true,
    end: (_one, worker) => void process.kill(parentOf(worker), "SIGKILL"),
    says: "killed",
  },
  {
    name: "kill -9 of its cell's guard in mid-answer",
    isMidAnswer: true,
    end: (_one, worker) => void process.kill(parentOf(parentOf(worker)), "SIGKILL"),
    says: "killed",
  },
];

const nobodyLeft: Ending = {
  name: "kill -9 of cell and guard at once",
  isMidAnswer: true,
  end(_one, worker) {
    const both = [parentOf(worker), parentOf(parentOf(worker))];
    for (const signal of ["SIGSTOP", "SIGKILL"] as const)
      for (const pid of both) process.kill(pid, signal);
  },
  says: "nothing",
};

/** An end takes the worker 3 s at most, and the overwriting less than one; a busy machine has its time. */
const GONE_MS = 20_000;
const RECEIPT_MS = 20_000;
/** A worker has several times that, and leaves it where nobody overwrites. */
const UNWIPED_BYTES = 10e6;

await onNode(false, async (under) => {
  for (const ending of endings) await show(under, ending);
  showUnwiped(`${nobodyLeft.name}: nothing outlives them, and`, await endOne(under, nobodyLeft));
});
await onNode(true, async (under) =>
  showUnwiped("without a cell", await endOne(under, endings[0]!)),
);
process.exitCode = proof.finish();

async function onNode(
  isWithoutCells: boolean,
  run: (under: NodeUnderTest) => Promise<void>,
): Promise<void> {
  const under = await startNode({
    models: ["echo"],
    gatewayFlags: ["--warm", "1"],
    isWithoutCells,
  });
  try {
    await run(under);
  } finally {
    await under.node.stop();
  }
}

async function show(under: NodeUnderTest, ending: Ending): Promise<void> {
  const { left, looked, cell, isGone } = await endOne(under, ending);
  proof.row({
    name: ending.name,
    holds: isGone && left === 0 && looked > UNWIPED_BYTES && cell?.end === ending.says,
    detail: `${left} bytes left in ${mega(looked)}; ${mega(Number(cell?.wipedBytes ?? 0))} overwritten, ${cell?.end}`,
    left,
    looked,
    wipedBytes: Number(cell?.wipedBytes ?? 0),
  });
}

function showUnwiped(what: string, { left, looked, cell, isGone }: Ended): void {
  const detail = `${mega(left)} left in ${mega(looked)}, and the receipt's cell part is ${JSON.stringify(cell)}`;
  proof.control(
    `${what} its bytes must be left`,
    isGone && left > UNWIPED_BYTES && cell === null,
    detail,
  );
}

interface Ended {
  /** Bytes that are not zero. */
  readonly left: number;
  readonly looked: number;
  readonly cell: Receipt["cell"] | null;
  readonly isGone: boolean;
}

async function endOne(
  { node, device }: NodeUnderTest,
  { isMidAnswer, end }: Ending,
): Promise<Ended> {
  const peer = { profile: node.profile, device };
  const word = randomBytes(WORD_BYTES / 2).toString("hex");
  const conversation = await Conversation.open({
    ...peer,
    model: node.defaultModel,
    history: [{ role: "system", text: `Remember ${word}.` }],
  });
  const maxTokens = isMidAnswer ? 100_000 : 100;
  const turn = { text: `Repeat: ${word}`, sampling: { temperature: 0, maxTokens } };
  let text = "";
  for await (const event of conversation.turn(turn)) {
    if (event.type === "delta") text += event.text;
    if (isMidAnswer && text.includes(word)) break;
  }
  const worker = theWorkerWith(node, word);
  const held = await PostMortem.hold(worker, word);
  await end(conversation, worker);
  const late = Date.now() + GONE_MS;
  while (existsSync(`/proc/${worker}`) && Date.now() < late) await sleep(20);
  const isGone = !existsSync(`/proc/${worker}`);
  const control = await ControlSession.open(peer);
  let receipt;
  const tooLate = Date.now() + RECEIPT_MS;
  while (!receipt && Date.now() < tooLate) {
    await sleep(50);
    const [signed] = await control.receipts({ task: conversation.task, limit: 1 });
    receipt = signed?.receipt;
  }
  control.close();
  const { left, looked } = await held.look();
  return { left, looked, cell: receipt?.cell ?? null, isGone };
}

function mega(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** A worker's is its cell, and a cell's its guard. */
function parentOf(pid: number): number {
  return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))![1]);
}

function theWorkerWith(node: NodeUnderTest["node"], word: string): number {
  for (const { pid, role } of processesOf(node)) {
    if (role === "worker" && scanMemory(pid, word).hits > 0) return pid;
  }
  throw new Error("no worker holds the words");
}
