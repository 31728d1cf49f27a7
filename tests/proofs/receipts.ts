/**
 * What the warden says in receipts, under the real kernel policy: a worker that tries to phone home has its
 * attempts in its own receipt and in no other, and a keeper that was taken over can neither change nor move
 * them.
 *
 *   receipts.ts [--json]
 *
 * The worker is the node's own, changed as a hijacked one would be: it tries to connect as often as a file
 * says. Needs root.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import {
  assertReceiptOf,
  ControlSession,
  Conversation,
  encodeReceiptFile,
  LocalNode,
  type VerifiedReceipt,
} from "@phantoma/client";
import {
  generateDeviceIdentity,
  importNodeIdentity,
  openReceipt,
  receiptDocument,
  Secret,
  type Certificate,
  type GradedReceipt,
} from "@phantoma/crypto";
import { argumentsOf, flag } from "../arguments.ts";
import { changedNode } from "../changed-node.ts";
import { cachedModel } from "../node-under-test.ts";
import { Proof } from "../proof.ts";

const values = argumentsOf({ json: flag });
const proof = new Proof("Each receipt has the attempts of its own worker", values.json);
const repositoryDir = fileURLToPath(new URL("../..", import.meta.url));

/** Each is one call of connect(2), refused by the kernel. */
const ATTEMPTS = 7;
/** A busy machine wipes and signs in a second or two. */
const RECEIPT_MS = 20_000;
/** The warden is started again after a fifth of a second, and the keeper looks for it four times in one. */
const WARDEN_BACK_MS = 15_000;

interface Task {
  readonly certificate: Certificate;
  readonly signed: VerifiedReceipt;
}

let lastTurn: Promise<unknown> = Promise.resolve();
const device = generateDeviceIdentity();
const dir = mkdtempSync(join(tmpdir(), "phantoma-proof-"));
const orderPath = join(dir, "attempts");
const node = await startHijacked(false);
try {
  await show();
} finally {
  await node.stop();
}
const uncelled = await startHijacked(true);
try {
  const { signed } = await oneTask(uncelled, ATTEMPTS);
  const isSilent = signed.receipt.warden === null && signed.witness === "absent";
  proof.control("without a cell nobody says a key, and nothing is said", isSilent, said(signed));
  const { grade } = signed.receipt;
  proof.control("nor overwrites or sees an end: C", grade === "C", `it says ${grade}`);
} finally {
  await uncelled.stop();
}
process.exitCode = proof.finish();

async function show(): Promise<void> {
  const guilty = await oneTask(node, ATTEMPTS);
  row("a worker that tries to phone home has its attempts", guilty, BigInt(ATTEMPTS));
  const innocent = await oneTask(node, 0);
  row("the next one has none", innocent, 0n);
  const others = await Promise.all([2, 0, 5, 1].map((attempts) => oneTask(node, attempts)));
  const counts = others.map(({ signed }) => signed.receipt.warden?.attempts.toString());
  proof.row({
    name: "tasks at once are counted apart",
    holds: counts.join() === "2,0,5,1",
    detail: `2, 0, 5 and 1 were tried; the receipts say ${counts.join(", ")}`,
  });
  await showGrade(innocent);
  showForgeries(guilty, innocent);
  showFiles(guilty, innocent);
  await showRestart();
}

/** With its cell's report a task has the machine's own grade, which the doctor says too. */
async function showGrade({ signed }: Task): Promise<void> {
  const control = await ControlSession.open({ profile: node.profile, device });
  const { grade } = await control.doctor();
  control.close();
  proof.row({
    name: "a task has the wipe grade that the doctor gives the machine",
    holds: signed.receipt.cell !== null && signed.receipt.grade === grade,
    detail: `the receipt says ${signed.receipt.grade}, the doctor ${grade}`,
  });
}

/** With the node's key, which a keeper that was taken over has. */
function showForgeries(guilty: Task, innocent: Task): void {
  const key = readFileSync(join(dir, "cells/state/keeper/node.key"));
  const { privateKey } = importNodeIdentity(new Secret(key)).signing;
  const receipt: GradedReceipt = { ...guilty.signed.receipt, grade: guilty.signed.receipt.grade! };
  const warden = receipt.warden!;
  const forgeries: Record<string, Partial<GradedReceipt>> = {
    "the innocent task's part in the guilty one's receipt": {
      warden: innocent.signed.receipt.warden,
    },
    "the number of attempts changed": { warden: { ...warden, attempts: 0n } },
    "the whole receipt given to another task": { task: innocent.signed.receipt.task },
    "another wipe grade than was said before the warden signed": {
      grade: receipt.grade === "A" ? "B" : "A",
    },
    "the same part under another number": { sequence: receipt.sequence + 100n },
  };
  for (const [name, change] of Object.entries(forgeries)) {
    const document = receiptDocument.sign({ ...receipt, ...change }, privateKey);
    proof.row({ name: `refused: ${name}`, ...refusalOf(() => open(document)) });
  }
  const silenced = receiptDocument.sign({ ...receipt, warden: null }, privateKey);
  proof.row({
    name: "what a keeper can do is to leave the part out, and that shows",
    holds: open(silenced).witness === "absent",
    detail: "it is read as not measured, never as 0",
  });
  const swapped = () => assertReceiptOf(guilty.signed.receipt, innocent.certificate, device);
  proof.row({ name: "refused: a genuine receipt of another task", ...refusalOf(swapped) });
  assertReceiptOf(guilty.signed.receipt, guilty.certificate, device);
  const again = receiptDocument.sign(receipt, privateKey);
  const isTaken = open(again).witness === "verified";
  proof.control("the same signing without a change is taken", isTaken, "it is");
}

/** As anybody checks it: another process, without node, network or key. */
function showFiles(guilty: Task, innocent: Task): void {
  const bytes = encodeReceiptFile(node.profile, [innocent.signed, guilty.signed]);
  const path = join(dir, "two.receipt");
  writeFileSync(path, bytes);
  const whole = verify(path);
  proof.row({
    name: "an exported file is checked offline",
    holds: whole.status === 0 && JSON.parse(whole.stdout).receipts.length === 2,
    detail: `exit ${whole.status}, ${bytes.length} bytes`,
  });
  const changed = Buffer.from(bytes);
  changed[changed.length - 80]! ^= 1;
  writeFileSync(path, changed);
  const broken = verify(path);
  const code = JSON.parse(broken.stdout).error.code;
  proof.row({
    name: "and refused when one bit of it was changed",
    holds: broken.status === 1 && code === "ERR_RECEIPT_FORGED",
    detail: `exit ${broken.status}, ${code}`,
  });
}

async function showRestart(): Promise<void> {
  const attempts = 3;
  const across = await oneTask(node, attempts, killWarden);
  row("attempts outlive a warden that is killed in the middle", across, BigInt(attempts));
  // This worker was warm before the warden was killed, and speaks to one that is gone.
  const warmed = await oneTask(node, attempts);
  proof.row({
    name: "whose word the new warden cannot hear has no part",
    holds: warmed.signed.receipt.warden === null,
    detail: said(warmed.signed),
  });
  row("the worker after it is heard again", await oneTask(node, attempts), BigInt(attempts));
}

async function killWarden(): Promise<void> {
  const before = wardenPid();
  process.kill(before, "SIGKILL");
  const late = Date.now() + WARDEN_BACK_MS;
  while (Date.now() < late && !(await policyIsWatched())) await sleep(100);
}

async function policyIsWatched(): Promise<boolean> {
  const control = await ControlSession.open({ profile: node.profile, device });
  try {
    return (await control.egress()).policy?.isInForce ?? false;
  } finally {
    control.close();
  }
}

function wardenPid(): number {
  const children = readFileSync(`/proc/${node.pid}/task/${node.pid}/children`, "ascii").trim();
  const pids = children.split(" ").map(Number);
  const found = pids.find((pid) => readFileSync(`/proc/${pid}/comm`, "ascii") === "warden\n");
  if (!found) throw new Error("the node has no warden");
  return found;
}

/** A chat with a worker that tries to connect so often; `meanwhile` happens after it tried. */
async function oneTask(
  { profile, defaultModel: model }: LocalNode,
  attempts: number,
  meanwhile?: () => Promise<void>,
): Promise<Task> {
  const peer = { profile, device };
  // Read by the worker at the first word of its task, by which time no other one is being opened.
  const conversation = await inTurn(async () => {
    writeFileSync(orderPath, String(attempts));
    return Conversation.open({ ...peer, model });
  });
  const turn = { text: "What is said?", sampling: { temperature: 0, maxTokens: 8 } };
  for await (const event of conversation.turn(turn)) if (event.type === "end") break;
  await meanwhile?.();
  await conversation.end();
  const control = await ControlSession.open(peer);
  try {
    const late = Date.now() + RECEIPT_MS;
    for (;;) {
      const [signed] = await control.receipts({ task: conversation.task, limit: 1 });
      if (signed) return { certificate: conversation.certificate, signed };
      if (Date.now() > late) throw new Error("the node gave no receipt");
      await sleep(50);
    }
  } finally {
    control.close();
  }
}

/** The node as it is, but for one line in its worker. */
async function startHijacked(isWithoutCells: boolean): Promise<LocalNode> {
  const phone = `
    for (let left = Number(readFileSync(${JSON.stringify(orderPath)}, "utf8")); left > 0; left -= 1)
      connect(443, "192.0.2.7").on("error", () => undefined);
`;
  const file = "worker/main.ts";
  const first = 'import { availableParallelism } from "node:os";\n';
  const place = "  open(tunnel) {\n";
  const imports = `import { readFileSync } from "node:fs";\nimport { connect } from "node:net";\n`;
  return LocalNode.start({
    nodeDir: changedNode(dir, [
      { file, find: first, put: imports + first },
      { file, find: place, put: place + phone },
    ]),
    dir: join(dir, isWithoutCells ? "bare" : "cells"),
    device,
    models: [{ path: await cachedModel("echo") }],
    gatewayFlags: ["--warm", "1"],
    isWithoutCells,
  });
}

function open(document: Uint8Array): VerifiedReceipt {
  const { nodeKey, wardenKey } = node.profile;
  return openReceipt(document, Buffer.from(nodeKey, "hex"), Buffer.from(wardenKey!, "hex"));
}

function refusalOf(act: () => unknown): { holds: boolean; detail: string } {
  try {
    act();
    return { holds: false, detail: "accepted" };
  } catch (error) {
    return { holds: true, detail: (error as { code?: string }).code ?? String(error) };
  }
}

function verify(path: string) {
  const main = join(repositoryDir, "apps/cli/main.ts");
  const args = [main, "verify", "receipt", path, "--node", node.profile.nodeKey, "--json"];
  return spawnSync(process.execPath, args, { encoding: "utf8" });
}

function row(name: string, { signed }: Task, attempts: bigint): void {
  const { warden } = signed.receipt;
  const holds = signed.witness === "verified" && warden?.attempts === attempts;
  proof.row({ name, holds, detail: said(signed) });
}

function said({ receipt, witness }: VerifiedReceipt): string {
  const { warden } = receipt;
  return warden
    ? `${warden.attempts} attempts, ${warden.unreported} of them unreported, ${witness}`
    : "not measured";
}

function inTurn<T>(act: () => Promise<T>): Promise<T> {
  const mine = lastTurn.then(act);
  lastTurn = mine.catch(() => undefined);
  return mine;
}
