/**
 * How fast an answer comes through the tunnel, against llama.cpp in one process.
 *
 * Measured over the whole turn: tokens of the answer over the time from question to last word.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cachedModel, startNode, type NodeUnderTest } from "../node-under-test.ts";
import { InProcess, type Generation } from "./in-process.ts";
import { row, type Benchmark, type Setting } from "./row.ts";
import { median, pairedRatio } from "./statistics.ts";
import { answer, modelDigest, openConversation } from "./through-tunnel.ts";

const LEAST_SHARE = 0.98;
const LEAST_GAIN = 10;
/** Long enough that a tick more or less is under 1 % of the answer. */
const TINY_TOKENS = 1500;
const LARGE_TOKENS = 64;

export const tokensPerSecond: Benchmark = { name: "tokens-per-second", run };

interface Subject {
  readonly name: string;
  readonly path: string;
  readonly digest: Uint8Array;
  readonly tokens: number;
  readonly rounds: number;
}

async function* run({ isQuick, strangerPath, standing }: Setting) {
  const underTest = await standing();
  const name = strangerPath ? "stranger" : "tiny";
  const subject = {
    name,
    path: strangerPath ?? (await cachedModel("tiny")),
    digest: modelDigest(underTest, name),
    tokens: strangerPath ? LARGE_TOKENS : TINY_TOKENS,
    rounds: isQuick ? 1 : 12,
  };
  yield sameThreads(underTest, subject);
  yield whileBusy(underTest, { ...subject, rounds: isQuick ? 1 : 4 });
  if (isQuick || strangerPath) return;
  const path = await cachedModel("large");
  const large = await startNode({ models: ["large"], gatewayFlags: ["--warm", "1"] });
  try {
    const digest = modelDigest(large, "large");
    yield sameThreads(large, { name: "500 MB", path, digest, tokens: LARGE_TOKENS, rounds: 8 });
  } finally {
    await large.node.stop();
  }
}

async function sameThreads(underTest: NodeUnderTest, subject: Subject) {
  const conversation = await openConversation(underTest, subject.digest);
  const { threads } = conversation.opened;
  const inProcess = await InProcess.load(subject.path, threads);
  const samples = { value: [] as number[], baseline: [] as number[] };
  for (let round = -1; round < subject.rounds; round += 1) {
    const alone = () => inProcess.answer("Tell me more.", subject.tokens);
    const tunnelled = () => answer(conversation, "Tell me more.", subject.tokens);
    // Alternately first, so that a drift of the machine hits both.
    const isAloneFirst = round % 2 === 0;
    const first = await (isAloneFirst ? alone() : tunnelled());
    const second = await (isAloneFirst ? tunnelled() : alone());
    if (round < 0) continue;
    samples.baseline.push(speed(isAloneFirst ? first : second));
    samples.value.push(speed(isAloneFirst ? second : first));
  }
  await Promise.all([conversation.end(), inProcess.dispose()]);
  const ratio = pairedRatio(samples.value, samples.baseline);
  return row({
    name: `speed, ${subject.name} model, ${threads} thread${threads === 1 ? "" : "s"} each`,
    value: median(samples.value),
    unit: "tokens/s",
    baseline: median(samples.baseline),
    ratio,
    budget: `≥ ${LEAST_SHARE} ×`,
    holds: ratio >= LEAST_SHARE,
    samples,
  });
}

/** No answer of the baseline may take longer: it can fall to one token a second. */
const BUSY_LIMIT_MS = 3_000;

async function whileBusy(underTest: NodeUnderTest, subject: Subject) {
  const conversation = await openConversation(underTest, subject.digest);
  const inProcess = await InProcess.load(subject.path, "default");
  const busy = spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
  const samples = { value: [] as number[], baseline: [] as number[] };
  try {
    for (let round = 0; round < subject.rounds; round += 1) {
      const limit = BUSY_LIMIT_MS;
      samples.baseline.push(speed(await inProcess.answer("Tell me more.", subject.tokens, limit)));
      samples.value.push(speed(await answer(conversation, "Tell me more.", subject.tokens)));
    }
  } finally {
    busy.kill("SIGKILL");
    await once(busy, "exit");
  }
  await Promise.all([conversation.end(), inProcess.dispose()]);
  const ratio = pairedRatio(samples.value, samples.baseline);
  return row({
    name: `speed, ${subject.name} model, a second program busy, default threads`,
    value: median(samples.value),
    unit: "tokens/s",
    baseline: median(samples.baseline),
    ratio,
    budget: `≥ ${LEAST_GAIN} ×`,
    holds: ratio >= LEAST_GAIN,
    samples,
  });
}

function speed({ tokens, totalMs }: Generation): number {
  // None within the limit counts as one, in favour of whoever was so slow.
  return (Math.max(tokens, 1) / totalMs) * 1000;
}
