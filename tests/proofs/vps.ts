/**
 * A node as it runs on a rented server: under systemd, in a real Debian 12 guest, with a chat from here, a
 * model pushed, and one fetched through a window.
 *
 *   vps.ts [--question TEXT] [--keep] [--json]
 *
 * Needs the guest of `npm run vps:build`. --keep leaves it running until Ctrl-C, to look around.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ControlSession, Conversation, withRetry, type NodeProfile } from "@phantoma/client";
import { generateDeviceIdentity, type Receipt } from "@phantoma/crypto";
import { argumentsOf, flag } from "../arguments.ts";
import { Proof } from "../proof.ts";
import { bootedGuest } from "../vps/booted-guest.ts";
import { ENABLED, installNode, NODE_PORT } from "../vps/install-node.ts";
import { processesInGuest, sharedUsers, workersOf, type GuestProcess } from "../vps/processes.ts";
import { ServerUnderTest } from "../vps/server-under-test.ts";
import { showModels } from "./vps-models.ts";
import { showWitness } from "./vps-receipts.ts";

const values = argumentsOf({
  question: { type: "string", default: "What is Phantoma?" },
  keep: flag,
  json: flag,
});
const proof = new Proof("A node on a rented server", values.json);
const demoModel = fileURLToPath(new URL("../../models/demo/model.gguf", import.meta.url));
/** Said in every question and looked for afterwards; made here, so that no file can hold it by chance. */
const canary = `canary ${randomBytes(12).toString("hex")}`;
/** An emulated processor takes a minute to warm a worker while others use this machine. */
const ATTEMPTS = 40;

/** An answer that ends in good time on an emulated processor. */
const SHORT = { temperature: 0, maxTokens: 40 } as const;

/** Prints every folder in which its user may make a file. */
const WRITE_EVERYWHERE = `
const { rmSync, writeFileSync } = require("node:fs");
for (const dir of ["", "/etc", "/usr", "/usr/lib", "/var", "/var/tmp", "/var/lib/phantoma/models", "/run",
  "/run/phantoma", "/run/phantoma/for-workers", "/tmp", "/dev", "/dev/shm", "/home", "/opt/phantoma"])
  try {
    writeFileSync(dir + "/word", "word");
    rmSync(dir + "/word");
    console.log(dir || "/");
  } catch {}
`;

const device = generateDeviceIdentity();
const guest = await bootedGuest({ ports: [NODE_PORT] });
try {
  const { profile, models } = await installNode(guest, {
    device,
    models: [demoModel],
    gatewayFlags: "--warm 1",
    say: (text) => proof.say(text),
  });
  const model = Buffer.from(models[0]!.digest, "hex");
  await showUnits();
  const before = await showConversation(profile, model);
  await showSecondConversation(profile, model, before);
  await showKilledCells(profile, model);
  await showNothingLeft(profile);
  await showModels(new ServerUnderTest(guest, device, profile), proof);
  await showNoPolicyNoWorker();
  await showWitness({ guest, proof, device, profile }, model);
  if (values.keep) {
    proof.say(`\nssh: ${guest.sshCommand}\nCtrl-C ends it`);
    await once(process, "SIGINT");
  }
} finally {
  await guest.stop();
}
process.exitCode = proof.finish();

async function showUnits(): Promise<void> {
  const states = (await guest.ssh(`systemctl is-active ${ENABLED.join(" ")}`)).stdout.trim();
  const active = states.split("\n").filter((state) => state === "active").length;
  proof.row({
    name: "every unit is active",
    holds: active === ENABLED.length,
    detail: `${active}`,
  });
  const verified = await guest.ssh("/opt/phantoma/current/bin/warden verify");
  const { tiers } = await wardenStatus();
  proof.row({
    name: "the kernel policy is in force, with the LSM",
    holds: verified.code === 0 && tiers.includes("lsm"),
    detail: tiers.join(", "),
  });
}

/** @returns the worker that served it */
async function showConversation(profile: NodeProfile, model: Buffer): Promise<GuestProcess> {
  const start = Date.now();
  const conversation = await open(profile, model);
  const seconds = ((Date.now() - start) / 1000).toFixed(0);
  const answer = await conversation.ask({
    text: `${values.question} (${canary})`,
    sampling: SHORT,
  });
  proof.row({
    name: "a chat from here gets an answer through the tunnel",
    holds: answer.text.trim().length > 0,
    detail: `${JSON.stringify(answer.text.trim().slice(0, 60))} after ${seconds} s`,
  });
  const { starter, policy, role } = conversation.certificate;
  proof.row({
    name: "its certificate says that PID 1 made the worker, under an enforced policy",
    holds: starter === "systemd" && policy === "enforced" && role === "worker",
    detail: `starter=${starter} policy=${policy}`,
  });
  const processes = await processesInGuest(guest);
  const shared = sharedUsers(processes);
  const units = new Set(processes.map(({ unit }) => unit)).size;
  proof.row({
    name: "no two units share a user, and none is root",
    holds: shared.length === 0 && units >= 6 && processes.every(({ uid }) => uid !== 0),
    detail: shared.join("; ") || `${units} units`,
  });
  await guest.check(
    "systemd-run --quiet --unit=twin --slice=phantoma.slice -p User=phantoma-keeper sleep 60",
  );
  proof.control(
    "a second unit of the keeper's user is seen",
    sharedUsers(await processesInGuest(guest)).length > 0,
  );
  await guest.check("systemctl stop twin");
  const [worker] = workersOf(processes);
  if (!worker) throw new Error("the chat has no worker");
  await showSandbox(worker);
  await showConnections(workersOf(await processesInGuest(guest)));
  await refusedAsDemo(profile, model);
  await conversation.end();
  await showReport(profile, conversation.task, "it finished", "finished");
  return worker;
}

/** A cell and its guard, which is what PID 1 started, each killed in the middle of a conversation. */
async function showKilledCells(profile: NodeProfile, model: Buffer): Promise<void> {
  for (const { name, generations } of [
    { name: "it was killed, as its cell was", generations: 1 },
    { name: "it was killed, as its cell's guard was", generations: 2 },
  ]) {
    const conversation = await open(profile, model);
    await conversation.ask({ text: `Hello (${canary})`, sampling: SHORT });
    // Also one that waits: it is replaced.
    for (const { pid } of workersOf(await processesInGuest(guest))) {
      const up = `pid=$(awk '/^PPid:/ { print $2 }' /proc/$pid/status)`;
      await guest.check(`pid=${pid}; ${Array(generations).fill(up).join("; ")}; kill -9 $pid`);
    }
    await showReport(profile, conversation.task, name, "killed");
    conversation.drop();
  }
}

/** The cell's word in the task's receipt. */
async function showReport(
  profile: NodeProfile,
  task: Uint8Array,
  what: string,
  expected: string,
): Promise<void> {
  const control = await withRetry(() => ControlSession.open({ profile, device }), {
    attempts: ATTEMPTS,
  });
  let cell: Receipt["cell"] = null;
  const isThere = await until(async () => {
    const [signed] = await control.receipts({ task, limit: 1 });
    cell = signed?.receipt.cell ?? null;
    return signed !== undefined;
  });
  control.close();
  const { end, wipedBytes } = (cell as Receipt["cell"]) ?? { end: "no report", wipedBytes: 0n };
  proof.row({
    name: `its cell reports that ${what}, and how much of its memory was overwritten`,
    holds: isThere && end === expected && wipedBytes > 10_000_000n,
    detail: `${end}, ${(Number(wipedBytes) / 1e6).toFixed(0)} MB`,
  });
}

/** What the worker's own kernel tables say, read from outside. */
async function showSandbox({ pid, uid, networkNamespace }: GuestProcess): Promise<void> {
  const host = (await guest.check("readlink /proc/1/ns/net")).trim();
  const links = await guest.check(
    `nsenter -t ${pid} -n ip -brief link; nsenter -t ${pid} -n ip route`,
  );
  proof.row({
    name: "the worker's network namespace is its own, with a loopback device and no route",
    holds: networkNamespace !== host && /^lo\s[^\n]*\n$/.test(links),
    detail: links.trim(),
  });
  const root = `/proc/${pid}/root`;
  const view = await guest.check(
    `ls ${root}/etc ${root}/usr/bin ${root}/home ${root}/root ${root}/run/phantoma ${root}/var/lib/phantoma 2>&1 | sed 's|${root}||' | tr '\\n' ' '`,
  );
  const expected =
    /^ls: cannot access '\/usr\/bin': .* \/etc: ld\.so\.cache .*\/run\/phantoma: for-workers .*\/var\/lib\/phantoma: models/;
  proof.row({
    name: "it sees libraries, release, models and one folder of sockets",
    holds: expected.test(view),
    detail: view.trim(),
  });
  const enter = `nsenter -t ${pid} -m -n -r -w -S ${uid} -G ${uid} /opt/phantoma/current/bin/node -`;
  const writable = (await guest.check(enter, WRITE_EVERYWHERE)).trim();
  proof.row({
    name: "it can write to no folder",
    holds: writable === "",
    detail: writable || "none",
  });
  const status = await guest.check(`cat /proc/${pid}/status /proc/${pid}/limits`);
  const cgroup = (await guest.check(`cut -d: -f3 /proc/${pid}/cgroup`)).trim();
  const swap = (await guest.check(`cat /sys/fs/cgroup${cgroup}/memory.swap.max`)).trim();
  proof.row({
    name: "it has no capability, a filter of calls, no core file and no swap",
    holds:
      /CapBnd:\s0+\n/.test(status) &&
      /NoNewPrivs:\s1\n/.test(status) &&
      /Seccomp:\s2\n/.test(status) &&
      /Max core file size\s+1\s+1\s/.test(status) &&
      swap === "0",
  });
  const environment = await guest.check(`tr '\\0' ' ' < /proc/${pid}/environ`);
  proof.row({
    name: "nothing is in its environment but how it keeps memory",
    holds: /^GLIBC_TUNABLES=glibc[\w.= :]+$/.test(environment.trim()),
    detail: environment.trim(),
  });
}

/** While one of them has a task. */
async function showConnections(workers: readonly GuestProcess[]): Promise<void> {
  const held: string[] = [];
  for (const { pid } of workers) {
    const sockets = await guest.check(`ls -l /proc/${pid}/fd | grep -o '[0-9]* -> socket'`);
    held.push(sockets.match(/\d+/g)!.join(" "));
  }
  proof.row({
    name: "a worker with a task holds two connections; one that waits has its one word for the warden left",
    holds: held.includes("3 4") && held.every((one) => one === "3 4" || one === "3 4 5"),
    detail: held.join("; "),
  });
}

async function refusedAsDemo(profile: NodeProfile, model: Buffer): Promise<void> {
  const asDemo = { ...profile, starter: "gateway", policy: "demo" } as const;
  const refused = await open(asDemo, model, 1).then(
    (conversation) => (conversation.drop(), "nothing"),
    (error: unknown) => String((error as { code?: string }).code),
  );
  proof.control(
    "a device that expects a demo node refuses this one",
    refused === "ERR_NODE_IDENTITY",
    refused,
  );
}

async function showSecondConversation(
  profile: NodeProfile,
  model: Buffer,
  first: GuestProcess,
): Promise<void> {
  const conversation = await open(profile, model);
  const second = workersOf(await processesInGuest(guest));
  await conversation.ask({ text: `Hello (${canary})`, sampling: SHORT });
  proof.row({
    name: "a second chat gets another process and another user",
    holds:
      second.length > 0 && second.every(({ pid, uid }) => pid !== first.pid && uid !== first.uid),
    detail: `pid ${first.pid}, uid ${first.uid}; then ${second.map(({ pid, uid }) => `pid ${pid}, uid ${uid}`).join("; ")}`,
  });
  await conversation.end();
}

async function showNothingLeft(profile: NodeProfile): Promise<void> {
  // systemd takes the empty unit away a moment after its last process.
  await sleep(5_000);
  const control = await withRetry(() => ControlSession.open({ profile, device }), {
    attempts: ATTEMPTS,
  });
  const { tasksDone, tasksLive } = await control.status();
  control.close();
  proof.row({
    name: "both tasks are done, none is live",
    holds: tasksDone >= 2 && tasksLive === 0,
    detail: `${tasksDone}`,
  });
  const left = await guest.check(
    `(journalctl --no-pager; journalctl --no-pager --namespace=phantoma; dmesg) | grep -c '${canary}' || true;
     grep -rlF '${canary}' /var /etc /run /tmp /root 2>/dev/null | head -3`,
  );
  proof.row({
    name: "no log and no file holds a word of it",
    holds: left.trim() === "0",
    detail: left.trim(),
  });
  await guest.check(`echo '${canary}' > /var/tmp/left`);
  const found = await guest.ssh(`grep -rlF '${canary}' /var/tmp`);
  proof.control("a file with those words is found", found.code === 0);
  await guest.check("rm /var/tmp/left");
  const { counts } = await wardenStatus();
  const attempts = counts.filter(({ unit, attempts }) => attempts > 0 && unit !== "probe");
  proof.row({
    name: "nothing of it tried to reach the network",
    holds: attempts.length === 0,
    detail: attempts.map(({ unit, attempts }) => `${unit}: ${attempts}`).join(", "),
  });
}

async function showNoPolicyNoWorker(): Promise<void> {
  await guest.check("rm /sys/fs/bpf/phantoma/link_connect4 && systemctl stop 'phantoma-worker@*'");
  await sleep(15_000);
  const workers = workersOf(await processesInGuest(guest)).length;
  proof.row({
    name: "without a pin of the policy no worker starts",
    holds: workers === 0,
    detail: `${workers}`,
  });
  await guest.check("systemctl restart phantoma-warden");
  const isBack = await until(async () => workersOf(await processesInGuest(guest)).length > 0);
  proof.control("with it, workers start again", isBack);
}

function open(profile: NodeProfile, model: Buffer, attempts = ATTEMPTS): Promise<Conversation> {
  return withRetry(() => Conversation.open({ profile, device, model }), { attempts });
}

interface WardenStatus {
  readonly tiers: readonly string[];
  readonly counts: readonly { readonly unit: string; readonly attempts: number }[];
}

async function wardenStatus(): Promise<WardenStatus> {
  return JSON.parse(await guest.check("/opt/phantoma/current/bin/warden status --json"));
}

async function until(isTrue: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 120; tries += 1) {
    if (await isTrue()) return true;
    await sleep(2_000);
  }
  return false;
}
