/**
 * How much later the first word comes through the whole path than from llama.cpp in one process.
 *
 * Every round asks the same prompt three ways: in process, through a tunnel with the tick off, and as
 * shipped. Each prompt begins with another letter than the one before, and each side starts every turn
 * from an empty history, so all three find the same beginning of the template in their KV cache and
 * evaluate the same rest; the row of prompt tokens shows it. Prompts differ in length, so the moment
 * at which the token is ready is spread over the tick.
 *
 * @module
 */
import { cachedModel } from "../node-under-test.ts";
import { InProcess, type Generation } from "./in-process.ts";
import { row, type Benchmark, type Setting } from "./row.ts";
import { quantile, median } from "./statistics.ts";
import { answer, modelDigest, openConversation, type TunnelGeneration } from "./through-tunnel.ts";

/** A token or two may hold half a character, which is not shown; a few always show something. */
const ANSWER_TOKENS = 4;
const WARM_UP_ROUNDS = 3;

export const firstToken: Benchmark = { name: "first-token", run };

async function* run({ isQuick, strangerPath, standing }: Setting) {
  const rounds = isQuick ? 14 : 200;
  const underTest = await standing();
  const digest = modelDigest(underTest, strangerPath ? "stranger" : "tiny");
  const unpaced = await openConversation(underTest, digest, { steady: false });
  const steady = await openConversation(underTest, digest);
  const threads = unpaced.opened.threads;
  const inProcess = await InProcess.load(strangerPath ?? (await cachedModel("tiny")), threads);
  const alone: Generation[] = [];
  const tickOff: TunnelGeneration[] = [];
  const asShipped: TunnelGeneration[] = [];
  const ways = [
    async (text: string) => alone.push(await inProcess.answer(text, ANSWER_TOKENS)),
    async (text: string) => tickOff.push(await answer(unpaced, text, ANSWER_TOKENS)),
    async (text: string) => asShipped.push(await answer(steady, text, ANSWER_TOKENS)),
  ];
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    if (round === 0) for (const series of [alone, tickOff, asShipped]) series.length = 0;
    // Whoever comes first in a round meets the colder cache, so they take turns.
    for (let turn = 0; turn < ways.length; turn += 1)
      await ways[(round + WARM_UP_ROUNDS + turn) % ways.length]!(prompt(round + WARM_UP_ROUNDS));
  }
  await Promise.all([unpaced.end(), steady.end(), inProcess.dispose()]);

  const tail = isQuick ? { name: "p95 (quick)", share: 0.95 } : { name: "p99", share: 0.99 };
  const baseline = firstTexts(alone);
  for (const { name, series, p50Ms, tailMs } of [
    { name: "tick off", series: tickOff, p50Ms: 2, tailMs: 10 },
    { name: "as shipped", series: asShipped, p50Ms: 6, tailMs: 10 },
  ]) {
    const samples = { value: firstTexts(series), baseline };
    yield added(`first token, ${name}, p50`, samples, 0.5, p50Ms);
    yield added(`first token, ${name}, ${tail.name}`, samples, tail.share, tailMs);
    const path = series.map(
      ({ firstTextMs, workerFirstTokenMs }) => firstTextMs - workerFirstTokenMs,
    );
    yield row({
      name: `path alone (client's clock less worker's), ${name}, p50`,
      value: median(path),
      unit: "ms",
      samples: { path },
    });
  }
  const promptTokens = asShipped.map((generation) => generation.promptTokens);
  const aloneTokens = alone.map((generation) => generation.promptTokens);
  yield row({
    name: "prompt tokens evaluated for it",
    value: median(promptTokens),
    unit: "tokens",
    baseline: median(aloneTokens),
    budget: "within 5 % of baseline",
    holds: Math.abs(median(promptTokens) / median(aloneTokens) - 1) <= 0.05,
    samples: { value: promptTokens, baseline: aloneTokens },
  });
}

function added(
  name: string,
  samples: { readonly value: number[]; readonly baseline: number[] },
  share: number,
  budgetMs: number,
) {
  const value = quantile(samples.value, share);
  const baseline = quantile(samples.baseline, share);
  const budget = `≤ +${budgetMs} ms (${(value - baseline).toFixed(1)})`;
  return row({
    name,
    value,
    unit: "ms",
    baseline,
    budget,
    holds: value - baseline <= budgetMs,
    samples,
  });
}

function firstTexts(series: readonly Generation[]): number[] {
  return series.map(({ firstTextMs }) => firstTextMs);
}

/** 24 to 47 characters. */
function prompt(round: number): string {
  const letter = String.fromCharCode(97 + (round % 26));
  return `${letter}. Which bird is this? `.padEnd(24 + ((round * 7) % 24), "bird ");
}
