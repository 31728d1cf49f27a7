/** What is told of tokens, against a softmax over the whole vocabulary that is computed here. */
import type { TokenLogprob } from "@phantoma/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Engine, type Sampling } from "./engine.ts";
import type { AddonContext, AddonSampler } from "./llama-addon.ts";
import { loadModel, type LoadedModel } from "./loaded-model.ts";
import { Logprobs } from "./logprobs.ts";
import { load, testModel, user } from "./test-model.ts";

const never = new AbortController().signal;

describe("a token that is about to be evaluated", () => {
  let loaded: LoadedModel;
  beforeAll(async () => {
    const modelPath = await testModel("tiny");
    loaded = await loadModel({ modelPath, contextTokens: 256, threads: 1, cores: 1 });
  });
  afterAll(async () => {
    await loaded.context.dispose();
    await loaded.model.dispose();
  });

  test("has the probability that a softmax over all tokens gives it, and so have the likeliest", async () => {
    const prompt = [...loaded.tokenizer.tokens("What is a tunnel?", "content", true)];
    const all = await softmax(loaded, prompt);
    loaded.cache.clear();
    await loaded.cache.append(prompt);
    const likeliest = [...all.keys()].sort((one, other) => all[other]! - all[one]!);
    const told: TokenLogprob[] = [];
    const logprobs = new Logprobs(loaded, { top: 20, onToken: (token) => told.push(token) });
    const tokens = [likeliest[0]!, likeliest[7]!, likeliest.at(-1)!];
    for (const token of tokens) await logprobs.tell(token, prompt.slice(-4));
    logprobs.dispose();
    for (const [index, token] of tokens.entries()) {
      expect(told[index]!.logprob).toBeCloseTo(Math.log(all[token]!), 4);
      expect(told[index]!.token).toBe(loaded.tokenizer.shown(prompt.slice(-4), token));
      const { top } = told[index]!;
      expect(top).toHaveLength(20);
      for (const [place, one] of top.entries())
        expect(one.logprob).toBeCloseTo(Math.log(all[likeliest[place]!]!), 4);
    }
  });
});

describe("an answer", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await load("tiny", 1024);
  });
  afterAll(() => engine.dispose());

  const answer = async (sampling: Sampling, top?: number) => {
    const told: TokenLogprob[] = [];
    let text = "";
    const onText = (piece: string) => void (text += piece);
    const wish =
      top === undefined ? undefined : { top, onToken: (t: TokenLogprob) => told.push(t) };
    engine.forget();
    const { completionTokens } = await engine.answer(
      [user("Hi")],
      sampling,
      onText,
      never,
      "model",
      wish,
    );
    return { text, told, completionTokens };
  };

  test("is the same whether its tokens are told or not, and each one is told", async () => {
    const sampling = { seed: 3, temperature: 1.5, repeatPenalty: 1.3, maxTokens: 40 };
    const silent = await answer(sampling);
    const { text, told, completionTokens } = await answer(sampling, 2);
    expect(text).toBe(silent.text);
    expect(silent.told).toEqual([]);
    expect(told).toHaveLength(completionTokens);
    expect(
      told
        .map(({ token }) => token)
        .join("")
        .trimStart(),
    ).toBe(text);
    expect(told.every(({ top }) => top.length === 2)).toBe(true);
  });

  test("of the likeliest tokens has each of them at the top", async () => {
    const { told } = await answer({ temperature: 0, maxTokens: 10 }, 1);
    for (const { top, ...chosen } of told) expect(top).toEqual([chosen]);
  });

  test("has the model's own logarithms, whatever temperature and grammar made of them", async () => {
    const free = await answer({ temperature: 0, maxTokens: 1 }, 1);
    const hot = await answer({ temperature: 5, seed: 1, maxTokens: 1 }, 1);
    const held = await answer({ temperature: 0, maxTokens: 1, grammar: 'root ::= "~~"' }, 1);
    expect(hot.told[0]!.top).toEqual(free.told[0]!.top);
    expect(held.told[0]!.top).toEqual(free.told[0]!.top);
    expect(held.told[0]!.token.trim().startsWith("~")).toBe(true);
    expect(held.told[0]!.logprob).toBeLessThan(free.told[0]!.logprob);
  });

  test("tells nothing beside the token itself where nothing else was asked for", async () => {
    const { told } = await answer({ temperature: 0, maxTokens: 1 }, 0);
    expect(told[0]!.top).toEqual([]);
  });
});

/** Probabilities of all tokens after `prompt`, from a context of their own and in double precision. */
async function softmax({ addon, model }: LoadedModel, prompt: readonly number[]) {
  const context = new addon.AddonContext(model, {
    contextSize: 256,
    batchSize: prompt.length,
    sequences: 1,
    flashAttention: "auto",
    swaFullCache: true,
    threads: 1,
  });
  await context.init();
  context.initBatch(prompt.length);
  const last = Uint32Array.of(prompt.length - 1);
  const [index] = context.addToBatch(0, 0, Uint32Array.from(prompt), last);
  await context.decodeBatch();
  const sampler = new addon.AddonSampler(model);
  sampler.applyConfig({ temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 });
  const [, , , pairs] = await allLogits(context, index!, sampler);
  sampler.dispose();
  await context.dispose();
  const logits: number[] = [];
  for (let at = 0; at < pairs.length; at += 2) logits[pairs[at]!] = pairs[at + 1]!;
  const most = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The addon's way to every logit, which the engine has no use for. */
function allLogits(context: AddonContext, index: number, sampler: AddonSampler) {
  const untyped = context as unknown as {
    sampleToken(...all: unknown[]): Promise<[unknown, unknown, unknown, number[]]>;
  };
  return untyped.sampleToken(index, sampler, false, false, true);
}
