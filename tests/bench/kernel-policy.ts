/**
 * What the kernel policy costs a program that it lets through: per packet that the gateway sends, per
 * connection that the fetcher opens, and in the speed of an answer. The same program runs inside and outside of a
 * policy, in turns.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { cgroupMount, Warden } from "../attacks/warden.ts";
import { startNode, type NodeUnderTest } from "../node-under-test.ts";
import { row, type Benchmark, type Setting } from "./row.ts";
import { median, pairedRatio } from "./statistics.ts";
import { answer, modelDigest, openConversation } from "./through-tunnel.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PORT = 18_443;
const PACKETS = 20_000;
/** Fewer than a listener holds, should the other end be slow. */
const CONNECTS = 1_000;
/** A program's first figures are of cold caches. */
const ROUNDS_PER_START = 5;
/** A tick more or less is under 1 % of such an answer. */
const ANSWER_TOKENS = 1500;
const LEAST_SHARE = 0.98;
/** As in egress.h. */
const UNIT_FETCHER = 6;

export const kernelPolicy: Benchmark = { name: "kernel-policy", run };

async function* run({ isQuick }: Setting) {
  const mount = cgroupMount();
  if (process.getuid?.() !== 0 || !mount || !existsSync("/usr/sbin/bpftool")) return;
  const dir = mkdtempSync(join(tmpdir(), "phantoma-bench-"));
  const policy = await startPolicy(mount, dir);
  try {
    const place = { program: join(dir, "socket-cost"), cgroup: policy.paths.cgroup };
    execFileSync("cc", ["-O2", "-o", place.program, join(root, "tests/bench/socket-cost.c")]);
    const starts = isQuick ? 3 : 20;
    yield await cost("kernel policy, a packet of the gateway", 1_000, starts, (unit) =>
      measure(place, unit && "gateway", ["answer", PACKETS], ["drain"]),
    );
    openToFetcher(policy.paths.pins);
    yield await cost("kernel policy, a connection of the fetcher", 10_000, starts, (unit) =>
      measure(place, unit && "fetcher", ["connect", CONNECTS], ["accept"]),
    );
  } finally {
    await policy.end();
    rmSync(dir, { recursive: true });
  }
  yield await speed(isQuick ? 3 : 12);
}

/** Of whole answers from two nodes that differ in nothing but the policy. */
async function speed(rounds: number) {
  const samples = { value: [] as number[], baseline: [] as number[] };
  const nodes: NodeUnderTest[] = [];
  // One thread each: a second one that finds no core of its own would be all that is measured.
  const gatewayFlags = ["--max-threads", "1", "--warm", "1"];
  try {
    for (const isWithoutPolicy of [false, true])
      nodes.push(await startNode({ models: ["tiny"], gatewayFlags, isWithoutPolicy }));
    if (nodes[0]!.node.policyReason) throw new Error(nodes[0]!.node.policyReason);
    const conversations = await Promise.all(
      nodes.map((node) => openConversation(node, modelDigest(node, "tiny"))),
    );
    for (let round = -1; round < rounds; round += 1)
      for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const { tokens, totalMs } = await answer(
          conversations[which]!,
          "Tell me more.",
          ANSWER_TOKENS,
        );
        if (round < 0) continue;
        samples[which === 0 ? "value" : "baseline"].push((tokens / totalMs) * 1000);
      }
    await Promise.all(conversations.map((conversation) => conversation.end()));
  } finally {
    for (const { node } of nodes) await node.stop();
  }
  const ratio = pairedRatio(samples.value, samples.baseline);
  return row({
    name: "kernel policy, speed of an answer",
    value: median(samples.value),
    unit: "tokens/s",
    baseline: median(samples.baseline),
    ratio,
    budget: `≥ ${LEAST_SHARE} ×`,
    holds: ratio >= LEAST_SHARE,
    samples,
  });
}

/** @param budgetNs on what the policy adds */
async function cost(
  name: string,
  budgetNs: number,
  starts: number,
  measured: (isInside: boolean) => Promise<readonly number[]>,
) {
  const inside: number[] = [];
  const outside: number[] = [];
  for (let start = 0; start < starts; start += 1)
    for (const isInside of start % 2 ? [true, false] : [false, true])
      (isInside ? inside : outside).push(...(await measured(isInside)).slice(1));
  const [value, baseline] = [median(inside), median(outside)];
  return row({
    name,
    value,
    unit: "ns",
    baseline,
    budget: `≤ +${budgetNs} ns (${(value - baseline).toFixed(0)})`,
    holds: value - baseline <= budgetNs,
    samples: { inside, outside },
  });
}

/** Runs the measured program in a unit, or outside, with its other end outside. */
async function measure(
  { program, cgroup }: { program: string; cgroup: string },
  unit: string | false,
  [what, count]: readonly [string, number],
  [other]: readonly [string],
): Promise<readonly number[]> {
  const listens = what === "answer";
  const start = (args: readonly string[], enters: boolean) =>
    enters
      ? spawnQuietly(join(root, "bpf/build/enter"), [
          unit as string,
          "--cgroup",
          cgroup,
          "--",
          program,
          ...args,
        ])
      : spawnQuietly(program, args);
  const measuring = [what, String(PORT), String(count), String(ROUNDS_PER_START)];
  const first = start(listens ? measuring : [other, String(PORT)], listens && unit !== false);
  const firstLines = linesOf(first);
  await firstLines.ready;
  const second = start(listens ? [other, String(PORT)] : measuring, !listens && unit !== false);
  const lines = listens ? firstLines : linesOf(second);
  const [code] = await once(listens ? first : second, "exit");
  // The port is free again when its listener is gone, and not when it was told to go.
  await Promise.all([first, second].map(ended));
  if (code !== 0) throw new Error(`${what} ended with ${code}`);
  return lines.figures();
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

function spawnQuietly(program: string, args: readonly string[]): ChildProcess {
  return spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
}

function linesOf(child: ChildProcess) {
  const lines: string[] = [];
  const input = createInterface({ input: child.stdout! });
  const ready = new Promise<void>((resolve) => {
    input
      .on("line", (line) => (line === "ready" ? resolve() : lines.push(line)))
      .on("close", resolve);
  });
  return { ready, figures: () => lines.map(Number) };
}

async function startPolicy(mount: string, dir: string): Promise<Warden> {
  const name = basename(dir);
  mkdirSync(join(dir, "identity"));
  const policy = new Warden({
    program: join(root, "bpf/build/warden"),
    cgroup: join(mount, name),
    pins: join("/sys/fs/bpf", name),
    state: join(dir, "state"),
    socket: join(dir, "warden.sock"),
    identity: join(dir, "identity"),
  });
  await policy.start(["--make-cgroup"]);
  policy.admit("gateway", join(policy.paths.cgroup, "gateway"), PORT);
  policy.admit("fetcher", join(policy.paths.cgroup, "fetcher"));
  return policy;
}

/** As a window does: 127.0.0.1 at our port, without an end. */
function openToFetcher(pins: string): void {
  const key = Buffer.alloc(24);
  key.writeUInt32LE(UNIT_FETCHER, 0);
  key.writeUInt16LE(PORT, 4);
  key.set([0xff, 0xff, 127, 0, 0, 1], 18);
  const bytes = (buffer: Buffer) => [
    "hex",
    ...[...buffer].map((byte) => byte.toString(16).padStart(2, "0")),
  ];
  const value = bytes(Buffer.alloc(8, 0xff));
  execFileSync("bpftool", [
    "map",
    "update",
    "pinned",
    join(pins, "endpoints"),
    "key",
    ...bytes(key),
    "value",
    ...value,
  ]);
}
