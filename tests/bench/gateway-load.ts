/**
 * What the gateway pays for those who wait and for those who have no business here.
 *
 * @module
 */
import { fork, type ChildProcess } from "node:child_process";
import { createPublicKey, randomBytes, sign, verify } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  exportDeviceIdentity,
  generateDeviceIdentity,
  ticketDocument,
  type DeviceIdentity,
} from "@phantoma/crypto";
import { processesOf, startNode, type NodeUnderTest } from "../node-under-test.ts";
import type { QueueOrder, QueueReport } from "./device-queue-process.ts";
import { interleaved } from "./interleaved.ts";
import { anonymousBytes, cpuMs } from "./machine.ts";
import { row, type Benchmark, type Setting } from "./row.ts";
import { median } from "./statistics.ts";
import { knock } from "./strangers.ts";

const MAX_BYTES_EACH = 60_000;
/** TLS and one signature check, and at most as much again for reading the ticket and refusing it. */
const MAX_STRANGER_RATIO = 2;

export const gatewayLoad: Benchmark = { name: "gateway", run };

async function* run({ isQuick }: Setting) {
  const gatewayFlags = [
    "--warm",
    "1",
    "--max-live",
    "1",
    "--max-waiting",
    "2500",
    "--max-per-device",
    "2500",
  ];
  const underTest = await startNode({ models: ["tiny"], gatewayFlags });
  try {
    yield* waiting(underTest, isQuick ? 200 : 2000);
    yield* strangers(underTest, isQuick ? 90 : 1200);
  } finally {
    await underTest.node.stop();
  }
}

/** One worker serves the first device; the others hold a connection, a ticket and message 1 each. */
async function* waiting(underTest: NodeUnderTest, count: number) {
  const pid = gatewayPid(underTest);
  // The first quarter makes the gateway load, compile and cache what all later ones share.
  const first = await queueUp(underTest, count / 4);
  await sleep(500);
  const before = anonymousBytes(pid);
  const rest = await queueUp(underTest, (count * 3) / 4);
  await sleep(1_000);
  const bytesEach = (anonymousBytes(pid) - before) / ((count * 3) / 4);
  const queued = first.report.queued + rest.report.queued;
  const isOpen = queued === count;
  yield row({
    name: `open connections, queued (asked for ${count})`,
    value: queued,
    unit: "connections",
    budget: "all, none refused",
    holds: isOpen,
    samples: { openedMs: [first.report.tookMs, rest.report.tookMs] },
  });
  yield row({
    name: "memory of the gateway for each, with TLS",
    value: bytesEach / 1000,
    unit: "KB",
    budget: `≤ ${MAX_BYTES_EACH / 1000} KB`,
    holds: isOpen && bytesEach <= MAX_BYTES_EACH,
  });
  for (const process of [rest.child, first.child]) {
    process.kill("SIGKILL");
    await once(process, "exit");
  }
}

async function queueUp({ node, device }: NodeUnderTest, count: number) {
  const secret = exportDeviceIdentity(device);
  const order: QueueOrder = {
    profile: node.profile,
    device: secret.expose().toString("hex"),
    model: node.models[0]!.digest,
    count,
  };
  const child = fork(fileURLToPath(new URL("device-queue-process.ts", import.meta.url)));
  child.send(order);
  const [report] = (await once(child, "message")) as [QueueReport];
  return { child, report };
}

/** Processor time is counted in steps of 10 ms, so one batch is good to 0.1 ms a stranger. */
const BATCH = 100;

async function* strangers(underTest: NodeUnderTest, count: number) {
  const { node, device } = underTest;
  const bare = await startBareServer(underTest);
  const gateway = { pid: gatewayPid(underTest), port: Number(new URL(node.profile.url).port) };
  const workersBefore = await workersInQuiet(underTest);
  const verifyMs = median(verification()) / 1000;
  const samples: Record<string, number[]> = { bare: [], "no ticket": [], unknown: [], forged: [] };
  const kinds = {
    "no ticket": () => undefined,
    unknown: () => ticket(underTest, generateDeviceIdentity()),
    // The worst: it names a known device, so that the signature has to be checked.
    forged: () => forged(ticket(underTest, device)),
  };
  for (let done = 0; done < count; done += BATCH * 3) {
    for (const [name, makeTicket] of Object.entries(kinds)) {
      samples["bare"]!.push(await costEach({ pid: bare.child.pid!, port: bare.port }, makeTicket));
      samples[name]!.push(await costEach(gateway, makeTicket));
    }
  }
  bare.child.kill("SIGKILL");
  await once(bare.child, "exit");
  const baseline = median(samples["bare"]!) + verifyMs;
  for (const [name, label] of [
    ["no ticket", "without a ticket"],
    ["unknown", "with a stranger's ticket"],
    ["forged", "with a forged ticket of a known device"],
  ] as const) {
    const value = median(samples[name]!);
    yield row({
      name: `one stranger ${label}, gateway's processor time`,
      value,
      unit: "ms",
      baseline,
      budget: `≤ ${MAX_STRANGER_RATIO} × (TLS + signature)`,
      holds: value <= MAX_STRANGER_RATIO * baseline,
      samples: { value: samples[name]!, bare: samples["bare"]!, verify: [verifyMs] },
    });
  }
  const workersAfter = workerPids(underTest);
  yield row({
    name: "workers that strangers used up",
    value: workersBefore.filter((pid) => !workersAfter.includes(pid)).length,
    unit: "workers",
    budget: "0",
    holds: workersBefore.length === 1 && workersAfter[0] === workersBefore[0],
  });
}

/** Processor time of `pid` for one knock, in milliseconds; a batch, since it is counted in tens. */
async function costEach(
  door: { readonly pid: number; readonly port: number },
  makeTicket: () => Uint8Array | undefined,
): Promise<number> {
  const tickets = Array.from({ length: BATCH }, makeTicket);
  const before = cpuMs(door.pid);
  for (const ticket of tickets) await knock(door.port, ticket);
  return (cpuMs(door.pid) - before) / BATCH;
}

/** The same door on node:https alone, with the gateway's key: refuses every upgrade. */
async function startBareServer({ dir }: NodeUnderTest) {
  const tls = {
    key: readFileSync(join(dir, "state/gateway/tls.key"), "ascii"),
    cert: readFileSync(join(dir, "state/gateway/tls.crt"), "ascii"),
  };
  const child: ChildProcess = fork(
    fileURLToPath(new URL("bare-server-process.ts", import.meta.url)),
  );
  child.send(tls);
  const [port] = (await once(child, "message")) as [number];
  return { child, port };
}

function ticket({ node }: NodeUnderTest, device: DeviceIdentity): Uint8Array {
  const fields = {
    node: Buffer.from(node.profile.nodeKey, "hex"),
    device: device.signing.publicKey,
    service: "task",
    model: node.defaultModel,
    nonce: randomBytes(16),
    issuedAt: Date.now(),
  } as const;
  return ticketDocument.sign(fields, device.signing.privateKey);
}

function forged(ticket: Uint8Array): Uint8Array {
  ticket[ticket.length - 40]! ^= 1;
  return ticket;
}

/** Microseconds of one bare Ed25519 verification. */
function verification(): number[] {
  const { signing } = generateDeviceIdentity();
  const message = randomBytes(123);
  const signature = sign(null, message, signing.privateKey);
  const key = createPublicKey(signing.privateKey);
  return interleaved({ verify: () => verify(null, message, key, signature) }, 20).verify;
}

function gatewayPid({ node }: NodeUnderTest): number {
  return processesOf(node).find(({ role }) => role === "gateway")!.pid;
}

/** The pool's one worker, once the devices before are gone and it has been replaced. */
async function workersInQuiet(underTest: NodeUnderTest): Promise<number[]> {
  let seen: number[] = [];
  let since = 0;
  while (since < QUIET_LOOKS) {
    await sleep(250);
    const now = workerPids(underTest);
    since = now.length === 1 && now[0] === seen[0] ? since + 1 : 0;
    seen = now;
  }
  return seen;
}

/** A worker that nobody was assigned to stays; one that is still used is gone in less than 2 s. */
const QUIET_LOOKS = 8;

function workerPids({ node }: NodeUnderTest): number[] {
  return processesOf(node)
    .filter(({ role }) => role === "worker")
    .map(({ pid }) => pid);
}
