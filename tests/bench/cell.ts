/**
 * What the cell costs: nothing before the first token, because it sleeps while its worker runs; and after the
 * end, how fast memory is overwritten, and what another task has of that. And what sealing costs a turn before its
 * first token.
 *
 * The first token is asked for in turns from two nodes that differ in nothing else. Overwriting is measured in
 * the cell's own processor time as well, in which a busy machine does not show.
 *
 * @module
 */
import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { SealedHistory } from "../../apps/node/worker/sealed-history.ts";
import { SealedPayloads } from "../../apps/node/worker/sealed-payloads.ts";
import { startNode, type NodeUnderTest } from "../node-under-test.ts";
import { buildCellTests, noPostMortem } from "../post-mortem.ts";
import { row, type Benchmark, type Setting } from "./row.ts";
import { interleaved } from "./interleaved.ts";
import { median, pairedRatio, quantile } from "./statistics.ts";
import { answer, modelDigest, openConversation } from "./through-tunnel.ts";

/** A small worker's private memory is 50 MB, one with a 500 MB model's 300 MB. */
const MEBIBYTES = 300;
/** A token or two may hold half a character, which is not shown. */
const ANSWER_TOKENS = 4;
const WARM_UP_ROUNDS = 3;
/** Long enough to go on while memory is overwritten several times. */
const LONG_ANSWER_TOKENS = 600;
/** Half of what the context has room for. */
const MESSAGES_BEFORE = 20;
/** A paragraph. */
const MESSAGE_BYTES = 400;

export const cell: Benchmark = { name: "cell", run };

interface Held {
  readonly bytes: number;
  readonly nanoseconds: number;
  readonly processorNanoseconds: number;
}

async function* run({ isQuick, standing }: Setting) {
  if (noPostMortem()) return;
  const programs = buildCellTests();
  const rounds = isQuick ? 5 : 30;
  const held = Array.from({ length: rounds }, () => overwrite(programs));
  const byClock = held.map(({ bytes, nanoseconds }) => bytes / nanoseconds);
  const byProcessor = held.map((one) => one.bytes / one.processorNanoseconds);
  yield row({
    name: "overwritten at a worker's end, by the clock, best",
    value: Math.max(...byClock),
    unit: "GB/s",
    samples: { byClock },
  });
  const perSecond = median(byProcessor);
  const byOwner = filledByOwner(rounds);
  const ownersPerSecond = median(byOwner);
  yield row({
    name: "overwritten at a worker's end, per second of a core",
    value: perSecond,
    unit: "GB/s",
    baseline: ownersPerSecond,
    budget: "≥ 0.25 of its owner's fill",
    holds: perSecond >= ownersPerSecond / 4,
    samples: { byProcessor, byOwner },
  });
  yield await besideIt(await standing(), programs, isQuick ? 3 : 20);
  yield* firstToken(isQuick ? 14 : 100);
}

/** An answer alone and beside a cell that overwrites all the time; a worker's own end takes a tenth of a second. */
async function besideIt(node: NodeUnderTest, programs: string, rounds: number) {
  const conversation = await openConversation(node, modelDigest(node, "tiny"));
  const samples = { value: [] as number[], baseline: [] as number[] };
  const speed = async () => {
    const { tokens, totalMs } = await answer(conversation, "Tell me more.", LONG_ANSWER_TOKENS);
    return (tokens / totalMs) * 1000;
  };
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    const alone = await speed();
    const beside = await whileOverwriting(programs, speed);
    if (round < 0) continue;
    samples.baseline.push(alone);
    samples.value.push(beside);
  }
  await conversation.end();
  return row({
    name: "speed of a task while another one's memory is overwritten",
    value: median(samples.value),
    unit: "tokens/s",
    baseline: median(samples.baseline),
    ratio: pairedRatio(samples.value, samples.baseline),
    samples,
  });
}

async function whileOverwriting<T>(programs: string, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const args = [join(programs, "filler"), String(MEBIBYTES)];
  const ended = (async () => {
    while (!over.signal.aborted) await promisify(execFile)(join(programs, "hold"), args);
  })();
  try {
    return await work();
  } finally {
    over.abort();
    await ended;
  }
}

function overwrite(programs: string): Held {
  const args = [join(programs, "filler"), String(MEBIBYTES)];
  return JSON.parse(execFileSync(join(programs, "hold"), args, { encoding: "utf8" })) as Held;
}

/** GB per second of a core: the same amount, by the process that has it, which copies nothing and looks up no page. */
function filledByOwner(rounds: number): number[] {
  const memory = Buffer.alloc(MEBIBYTES * 1024 * 1024, 1);
  return Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    memory.fill(0);
    const { user, system } = process.cpuUsage(before);
    return memory.length / (user + system) / 1000;
  });
}

async function* firstToken(rounds: number) {
  const value: number[] = [];
  const baseline: number[] = [];
  // Of two nodes the one that was started first answers sooner on a busy machine, so each is it once.
  await askInTurns(rounds, [
    { isWithoutCells: false, samples: value },
    { isWithoutCells: true, samples: baseline },
  ]);
  await askInTurns(rounds, [
    { isWithoutCells: true, samples: baseline },
    { isWithoutCells: false, samples: value },
  ]);
  for (const { name, share } of [
    { name: "p50", share: 0.5 },
    { name: "p90", share: 0.9 },
  ])
    yield row({
      name: `first token in a cell, ${name}`,
      value: quantile(value, share),
      unit: "ms",
      baseline: quantile(baseline, share),
      samples: { value, baseline },
    });
  yield sealing(rounds, value);
}

/** A turn opens what was said before it and seals its question; the worker's own code, in this process. */
function sealing(rounds: number, firstTokenMs: readonly number[]) {
  const history = new SealedHistory(new SealedPayloads());
  for (let message = 0; message < MESSAGES_BEFORE; message += 1)
    history.add(message % 2 === 0 ? "user" : "assistant", Buffer.alloc(MESSAGE_BYTES, "word "));
  const turn = () => {
    history.begin(undefined, Buffer.alloc(MESSAGE_BYTES, "word "));
    history.open();
    history.takeBack();
  };
  const sealed = interleaved({ turn }, rounds).turn.map((micros) => micros / 1000);
  const value = median(sealed);
  return row({
    name: `sealing before a first token, ${MESSAGES_BEFORE} messages said before`,
    value,
    unit: "ms",
    baseline: median(firstTokenMs),
    budget: "≤ 0.5 ms",
    holds: value <= 0.5,
    samples: { sealed },
  });
}

interface Side {
  readonly isWithoutCells: boolean;
  readonly samples: number[];
}

async function askInTurns(rounds: number, sides: readonly Side[]): Promise<void> {
  // One thread each: a second one that finds no core of its own would be all that is measured.
  const gatewayFlags = ["--max-threads", "1", "--warm", "1"];
  const nodes: NodeUnderTest[] = [];
  try {
    for (const { isWithoutCells } of sides)
      nodes.push(await startNode({ models: ["tiny"], gatewayFlags, isWithoutCells }));
    const conversations = await Promise.all(
      nodes.map((node) => openConversation(node, modelDigest(node, "tiny"), { steady: false })),
    );
    for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
      const letter = String.fromCharCode(97 + ((round + WARM_UP_ROUNDS) % 26));
      // Whoever comes first in a round meets the colder cache, so they take turns.
      for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const text = `${letter}. Which bird is this?`;
        const { firstTextMs } = await answer(conversations[which]!, text, ANSWER_TOKENS);
        if (round >= 0) sides[which]!.samples.push(firstTextMs);
      }
    }
    await Promise.all(conversations.map((conversation) => conversation.end()));
  } finally {
    for (const { node } of nodes) await node.stop();
  }
}
