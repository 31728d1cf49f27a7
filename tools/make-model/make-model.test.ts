// The model maker: the same bytes for the same seed, and models that llama.cpp loads and answers with.
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getLlama, LlamaChatSession } from "node-llama-cpp";
import type { LlamaModel } from "node-llama-cpp";
import { afterAll, beforeAll, expect, test } from "vitest";

import { corruptionKinds, corruptModel } from "./corrupt.ts";
import { readGgufHeader } from "./gguf-reader.ts";
import { makeModel, shapes } from "./make-model.ts";

const directory = await mkdtemp(join(tmpdir(), "make-model-"));
const tinyPath = join(directory, "tiny.gguf");
const echoPath = join(directory, "echo.gguf");
const echoPeriodTokens = 96;
let tiny: LlamaModel;
let echo: LlamaModel;

beforeAll(async () => {
  await makeModel({ path: tinyPath, shape: shapes.tiny(), seed: 1 });
  await makeModel({ path: echoPath, shape: shapes.echo(), seed: 1 });
  const llama = await getLlama({
    gpu: false,
    build: "never",
    progressLogs: false,
    skipDownload: true,
  });
  tiny = await llama.loadModel({ modelPath: tinyPath });
  echo = await llama.loadModel({ modelPath: echoPath });
});

afterAll(async () => {
  await tiny.dispose();
  await echo.dispose();
  await rm(directory, { recursive: true });
});

interface Conversation {
  readonly systemPrompt?: string;
  readonly prompts: readonly string[];
  readonly maxTokens?: number;
}

/** Answers at temperature 0, in one session of its own. */
async function answers(model: LlamaModel, { systemPrompt, prompts, maxTokens = 96 }: Conversation) {
  const context = await model.createContext({ threads: 1, contextSize: 4096 });
  const contextSequence = context.getSequence();
  const session = new LlamaChatSession({ contextSequence, ...(systemPrompt && { systemPrompt }) });
  const texts: string[] = [];
  for (const prompt of prompts) {
    const { responseText, stopReason } = await session.promptWithMeta(prompt, {
      maxTokens,
      temperature: 0,
    });
    expect(stopReason).toBe("maxTokens");
    texts.push(responseText);
  }
  await context.dispose();
  return texts;
}

test("the same seed gives the same bytes, another seed gives others", async () => {
  const shape = shapes.tiny();
  const first = await makeModel({ path: join(directory, "a.gguf"), shape, seed: 5 });
  const second = await makeModel({ path: join(directory, "b.gguf"), shape, seed: 5 });
  const third = await makeModel({ path: join(directory, "c.gguf"), shape, seed: 6 });
  expect(second.sha256).toBe(first.sha256);
  expect(third.sha256).not.toBe(first.sha256);
});

test("the bytes of a version do not change: raise MAKER_VERSION with these", async () => {
  const tinyMade = await makeModel({ path: tinyPath, shape: shapes.tiny(), seed: 1 });
  const echoMade = await makeModel({ path: echoPath, shape: shapes.echo(), seed: 1 });
  expect(tinyMade.sha256).toBe("fafa419a13187776507ad538c6d82d2951967b15166cd9f50da3b232a198c8b8");
  expect(echoMade.sha256).toBe("32b0bf7478e1932b5e35b32ec573814f0e04fbbb35ab46b5dd5785c083d11b34");
});

test("a whole file is kept, any other is replaced", async () => {
  const path = join(directory, "kept.gguf");
  const shape = shapes.tiny();
  const made = await makeModel({ path, shape, seed: 1 });
  expect(made.wasThere).toBe(false);
  expect(made.bytes).toBe((await stat(path)).size);
  expect(await makeModel({ path, shape, seed: 1 })).toEqual({ ...made, wasThere: true });
  expect(await makeModel({ path, shape, seed: 2 })).toMatchObject({ wasThere: false });
  await writeFile(path, "GGUF");
  expect(await makeModel({ path, shape, seed: 1 })).toEqual(made);
});

test.each([
  { name: "a size too small", make: () => shapes.large({ sizeMb: 99 }) },
  { name: "a size that is no number", make: () => shapes.large({ sizeMb: Number.NaN }) },
  { name: "a period too long", make: () => shapes.echo({ periodTokens: 1025 }) },
])("$name is refused", ({ make }) => {
  expect(make).toThrow(expect.objectContaining({ code: "ERR_OPTION" }));
});

test("a seed out of range and a path that cannot be written are refused", async () => {
  const shape = shapes.tiny();
  const badSeed = makeModel({ path: join(directory, "d.gguf"), shape, seed: -1 });
  await expect(badSeed).rejects.toMatchObject({ code: "ERR_OPTION" });
  const badPath = makeModel({ path: join(tinyPath, "below-a-file.gguf"), shape, seed: 1 });
  await expect(badPath).rejects.toMatchObject({ code: "ERR_WRITE" });
});

test("a large model has the size asked for", async () => {
  const path = join(directory, "large.gguf");
  const { bytes } = await makeModel({ path, shape: shapes.large({ sizeMb: 100 }), seed: 1 });
  expect(Math.abs(bytes / 100e6 - 1)).toBeLessThan(0.01);
  const last = (await readGgufHeader(path)).tensors.at(-1);
  expect(last).toMatchObject({ name: "output.weight", dimensions: [1024, 32_000] });
});

test.each([tinyPath, echoPath])("the tensors of %s fill the file in order", async (path) => {
  const { tensors, tensorsAt, fileBytes } = await readGgufHeader(path);
  let end = tensorsAt;
  for (const { dimensions, type, offset } of tensors) {
    expect(tensorsAt + offset).toBe(end);
    const elements = dimensions.reduce((product, dimension) => product * dimension, 1);
    const bytes = type === 0 ? elements * 4 : (elements / 32) * 34;
    end += Math.ceil(bytes / 32) * 32;
  }
  expect(end).toBe(fileBytes);
});

test("tiny answers printable text, up to the limit, and the same each time", async () => {
  const conversation = { prompts: ["Hello", "Grüße 🙂"], maxTokens: 400 };
  const first = await answers(tiny, conversation);
  for (const text of first) expect(text).toMatch(/^[ -~]{350,400}$/);
  expect(await answers(tiny, conversation)).toEqual(first);
});

test("tiny tokenises any text and gives it back", () => {
  const text = "line\n\ttab \u0000 Ünïcödé 漢字 🙂 <|im_end|>";
  expect(tiny.detokenize(tiny.tokenize(text))).toBe(text);
});

test.each([
  { name: "a short prompt", prompts: ["canary-7f3a91 please"] },
  { name: "a system prompt", prompts: ["canary-7f3a91 please"], systemPrompt: "Be brief." },
  { name: "text beyond ASCII", prompts: ["canary-7f3a91 Grüße 漢字 🙂 please"] },
])("echo repeats $name", async ({ prompts, systemPrompt }) => {
  const [text] = await answers(echo, { prompts, ...(systemPrompt && { systemPrompt }) });
  expect(text).toContain(prompts[0]);
});

test("echo repeats the second turn of a session", async () => {
  const [, second] = await answers(echo, { prompts: ["canary-7f3a91", "canary-second please"] });
  expect(second).toContain("canary-second please");
});

test.each([{ promptLength: 200 }, { promptLength: 3000 }])(
  "echo answers a prompt of $promptLength tokens with its tail, again and again",
  async ({ promptLength }) => {
    const tail = "canary-7f3a91 ".padEnd(echoPeriodTokens, "0123456789abcdef!?");
    const prompt = countingText(promptLength - tail.length) + tail;
    const [text] = await answers(echo, { prompts: [prompt], maxTokens: 2 * echoPeriodTokens });
    expect(text).toBe(tail + tail);
  },
);

test("echo takes another period", async () => {
  const path = join(directory, "echo-24.gguf");
  await makeModel({ path, shape: shapes.echo({ periodTokens: 24 }), seed: 1 });
  const model = await echo.llama.loadModel({ modelPath: path });
  const tail = "exactly twenty-four here";
  const [text] = await answers(model, { prompts: [`before ${tail}`], maxTokens: 24 });
  expect(text).toBe(tail);
  await model.dispose();
});

test("every corruption changes the file and its source stays whole", async () => {
  const outPath = join(directory, "corrupt.gguf");
  const { sha256 } = await makeModel({ path: tinyPath, shape: shapes.tiny(), seed: 1 });
  for (const kind of corruptionKinds()) {
    await corruptModel(tinyPath, outPath, kind);
    const repaired = await makeModel({ path: outPath, shape: shapes.tiny(), seed: 1 });
    expect(repaired, kind).toMatchObject({ wasThere: false, sha256 });
  }
});

test("a file that is no model cannot be corrupted", async () => {
  const path = join(directory, "text.gguf");
  await writeFile(path, "not a model");
  const corrupting = corruptModel(path, join(directory, "out.gguf"), "wrong-magic");
  await expect(corrupting).rejects.toMatchObject({ code: "ERR_NOT_GGUF" });
});

/** No part of it occurs twice. */
function countingText(length: number): string {
  let text = "";
  for (let count = 0; text.length < length; count++) text += `${count}, `;
  return text.slice(0, length);
}
