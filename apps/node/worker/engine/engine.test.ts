import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { Engine, PromptTooLongError } from "./engine.ts";
import type { ChatMessage, Sampling } from "./engine.ts";
import { ask, askAnew, assistant, load, testModel, user } from "./test-model.ts";

describe("on a model of noise", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await load("tiny", 1024);
  });
  afterAll(() => engine.dispose());

  test("the next turn evaluates only what is new", async () => {
    const history = [user("What is a tunnel?")];
    const first = await ask(engine, history, { maxTokens: 60, seed: 1 });
    const next = [...history, assistant(first.text), user("And then?")];
    const second = await ask(engine, next, { maxTokens: 5 });
    // The last sampled token was never evaluated, so it is not there to be reused.
    expect(second.reusedTokens).toBe(first.promptTokens + first.completionTokens - 1);
    expect(second.promptTokens).toBeGreaterThan(second.reusedTokens);
  });

  test("the same prompt again evaluates its last token only", async () => {
    const history = [user("What is a tunnel?")];
    await ask(engine, history, { maxTokens: 5 });
    const { promptTokens, reusedTokens } = await ask(engine, history, { maxTokens: 5 });
    expect(reusedTokens).toBe(promptTokens - 1);
  });

  test("an edited message keeps the common beginning only", async () => {
    const long = "x".repeat(100);
    const before = await ask(engine, [user(`${long} one ${long}`)], { maxTokens: 5 });
    const after = await ask(engine, [user(`${long} two ${long}`)], { maxTokens: 5 });
    expect(after.reusedTokens).toBeGreaterThan(100);
    expect(after.reusedTokens).toBeLessThan(before.promptTokens - 100);
  });

  test("the same seed and sampling give the same text", async () => {
    const sampling = { seed: 7, temperature: 1.5, topK: 0, repeatPenalty: 1.3, maxTokens: 80 };
    const [first, second, other] = [
      await askAnew(engine, sampling),
      await askAnew(engine, sampling),
      await askAnew(engine, { ...sampling, seed: 8 }),
    ];
    expect(second.text).toBe(first.text);
    expect(other.text).not.toBe(first.text);
  });

  test("without a seed two answers differ", async () => {
    const sampling = { temperature: 2, topK: 0, topP: 1, minP: 0, maxTokens: 80 };
    const [first, second] = [await askAnew(engine, sampling), await askAnew(engine, sampling)];
    expect(second.text).not.toBe(first.text);
  });

  test("temperature 0 asks no seed", async () => {
    const [first, second] = [
      await askAnew(engine, { temperature: 0, seed: 1, maxTokens: 40 }),
      await askAnew(engine, { temperature: 0, seed: 2, maxTokens: 40 }),
    ];
    expect(second.text).toBe(first.text);
  });

  test("a stop string ends the answer and is not in it", async () => {
    const free = await askAnew(engine, { seed: 3, maxTokens: 100 });
    const stop = free.text.slice(40, 43);
    const stopped = await askAnew(engine, { seed: 3, maxTokens: 100, stop: ["\u0000", stop] });
    expect(stopped.reason).toBe("stop-string");
    expect(stopped.text).toBe(free.text.slice(0, free.text.indexOf(stop)));
  });

  test("maxTokens ends the answer", async () => {
    const { reason, completionTokens } = await askAnew(engine, { maxTokens: 9 });
    expect({ reason, completionTokens }).toEqual({ reason: "length", completionTokens: 9 });
  });

  test("an answer that fills the context ends, and nothing of the conversation is dropped", async () => {
    const { reason, promptTokens, completionTokens } = await askAnew(engine, {});
    expect(reason).toBe("context-full");
    expect(promptTokens + completionTokens).toBe(engine.contextTokens + 1);
  });

  test("a prompt that leaves no room is refused with both numbers", async () => {
    const failed = ask(engine, [user("x".repeat(1020))], {}).catch((error: unknown) => error);
    const error = await failed;
    expect(error).toBeInstanceOf(PromptTooLongError);
    expect(error).toMatchObject({ code: "ERR_PROMPT_TOO_LONG", limitTokens: 1008 });
    expect((error as PromptTooLongError).promptTokens).toBeGreaterThan(1020);
    expect((await askAnew(engine, { maxTokens: 3 })).reason).toBe("length");
  });

  test("a prompt of 10 MB is refused", async () => {
    await expect(ask(engine, [user("x".repeat(10e6))], {})).rejects.toThrow(PromptTooLongError);
  });

  test("the names of control tokens in a message are plain text", async () => {
    const plain = await ask(engine, [user("x")], { maxTokens: 1 });
    const typed = await ask(engine, [user("x<|im_end|>")], { maxTokens: 1 });
    expect(typed.promptTokens - plain.promptTokens).toBe("<|im_end|>".length);
  });

  test("a turn stopped before it began leaves the conversation usable", async () => {
    const stopped = await ask(engine, [user("never mind")], {}, AbortSignal.abort());
    expect(stopped).toMatchObject({
      reason: "aborted",
      completionTokens: 0,
      promptMs: null,
      text: "",
    });
    expect((await askAnew(engine, { maxTokens: 3 })).reason).toBe("length");
  });

  test("a turn can be stopped while its prompt is evaluated", async () => {
    const stop = new AbortController();
    setImmediate(() => stop.abort());
    const stopped = await ask(engine, [user("y".repeat(900))], {}, stop.signal);
    expect(stopped).toMatchObject({ reason: "aborted", completionTokens: 0, firstTokenMs: null });
  });

  test("a turn stopped in its answer can be taken up again", async () => {
    const history = [user("Count.")];
    const stop = new AbortController();
    const stopped = await ask(engine, history, { seed: 5 }, stop.signal, (text) => {
      if (text.length >= 20) stop.abort();
    });
    expect(stopped.reason).toBe("aborted");
    expect(stopped.text.length).toBeLessThan(30);
    const next = [...history, assistant(stopped.text), user("Go on.")];
    const { reusedTokens } = await ask(engine, next, { maxTokens: 5 });
    expect(reusedTokens).toBeGreaterThanOrEqual(
      stopped.promptTokens + stopped.completionTokens - 1,
    );
  });

  test("a second answer at the same time is refused", async () => {
    const first = ask(engine, [user("one")], { maxTokens: 50 });
    await expect(ask(engine, [user("two")], {})).rejects.toMatchObject({ code: "ERR_BUSY" });
    expect((await first).reason).toBe("length");
  });

  test.each<[string, readonly ChatMessage[]]>([
    ["no message", []],
    ["an answer as the last message", [assistant("a")]],
  ])("%s is refused", async (_, history) => {
    await expect(ask(engine, history, {})).rejects.toMatchObject({ code: "ERR_CONVERSATION" });
  });

  test.each<[string, Sampling]>([
    ["a temperature below 0", { temperature: -1 }],
    ["a seed that llama.cpp would replace", { seed: 2 ** 32 - 1 }],
    ["half a token", { maxTokens: 0.5 }],
    ["an empty stop string", { stop: [""] }],
    ["a number that is none", { topP: NaN }],
  ])("%s is refused", async (_, sampling) => {
    const refused = { name: "EngineError", code: "ERR_SAMPLING" };
    await expect(ask(engine, [user("a")], sampling)).rejects.toMatchObject(refused);
  });
});

describe("disposing", () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await load("tiny", 512);
  });

  test("ends a running answer", async () => {
    const running = ask(engine, [user("talk")], {});
    await engine.dispose();
    expect((await running).reason).toBe("aborted");
  });

  test("is final, and harmless a second time", async () => {
    await engine.dispose();
    await engine.dispose();
    await expect(ask(engine, [user("a")], {})).rejects.toMatchObject({ code: "ERR_BUSY" });
  });
});

test("on two cores one thread is used, without measuring", async () => {
  const engine = await Engine.load({
    modelPath: await testModel("tiny"),
    contextTokens: 1e6,
    threads: "calibrate",
    cores: 2,
  });
  expect(engine).toMatchObject({ threads: 1, contextTokens: 8192, modelName: "phantoma tiny" });
  await engine.dispose();
});

describe("without a template", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await load("tiny", 1024);
  });
  afterAll(() => engine.dispose());
  const continued = async (texts: readonly string[], sampling: Sampling) => {
    let text = "";
    const history = texts.map((said, at) => (at % 2 === 0 ? user(said) : assistant(said)));
    const { signal } = new AbortController();
    const onText = (piece: string) => (text += piece);
    return { ...(await engine.answer(history, sampling, onText, signal, "none")), text };
  };

  test("the prompt is the text alone, and a chat's is more", async () => {
    const plain = await continued(["abc"], { maxTokens: 1 });
    const chat = await ask(engine, [user("abc")], { maxTokens: 1 });
    expect(plain.promptTokens).toBeLessThan(chat.promptTokens);
    expect(plain.promptTokens).toBeLessThanOrEqual(4);
  });

  test("texts follow each other: what was answered is evaluated once", async () => {
    const first = await continued(["abc"], { maxTokens: 20, seed: 1 });
    const second = await continued(["abc", first.text, "def"], { maxTokens: 1 });
    expect(second.reusedTokens).toBe(first.promptTokens + first.completionTokens - 1);
  });

  test("white space at the start of an answer stays", async () => {
    const grammar = 'root ::= " \\n x"';
    const history = [user("abc")];
    expect((await ask(engine, history, { grammar })).text).toBe("x");
    expect((await continued(["abc"], { grammar })).text).toBe(" \n x");
  });
});

describe("in a grammar", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await load("tiny", 1024);
  });
  afterAll(() => engine.dispose());
  const grammar = String.raw`root ::= "{\"n\": " [0-9]{1,3} "}"`;

  test("an answer is of its form and ends where the form does", async () => {
    for (const seed of [1, 2, 3]) {
      const { text, reason } = await askAnew(engine, { grammar, seed, maxTokens: 40 });
      expect(text).toMatch(/^\{"n": \d{1,3}\}$/);
      expect(reason).toBe("stop");
    }
  });

  test("the next answer is free again", async () => {
    await askAnew(engine, { grammar, seed: 1 });
    expect((await askAnew(engine, { seed: 1, maxTokens: 10 })).text).not.toMatch(/^\{"n"/);
  });

  test("a grammar that llama.cpp cannot read is refused, and the engine goes on", async () => {
    for (const broken of ["root ::= (", 'other ::= "a"', 'root ::= root "a" | "a"'])
      await expect(askAnew(engine, { grammar: broken })).rejects.toMatchObject({
        code: "ERR_SAMPLING",
        message: "llama.cpp cannot read the grammar",
      });
    expect((await askAnew(engine, { grammar })).reason).toBe("stop");
  });
});

describe("the place of a text", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await load("tiny", 256);
  });
  afterAll(() => engine.dispose());

  test("is the same for the same text, another for another, and of length 1", async () => {
    const [one, again, other] = [
      await engine.embed("a tunnel"),
      await engine.embed("a tunnel"),
      await engine.embed("a bird"),
    ];
    expect(again).toEqual(one);
    expect(other.vector).not.toEqual(one.vector);
    expect(other.vector.length).toBe(one.vector.length);
    expect(Math.hypot(...one.vector)).toBeCloseTo(1, 5);
  });

  test("changes nothing about a conversation", async () => {
    const history = [user("What is a tunnel?")];
    const { promptTokens } = await ask(engine, history, { maxTokens: 5 });
    await engine.embed("something else");
    expect((await ask(engine, history, { maxTokens: 5 })).reusedTokens).toBe(promptTokens - 1);
  });

  test("of a text that fits is found, of one token more it is not", async () => {
    const { tokens } = await engine.embed("x");
    const fits = "x ".repeat(1000);
    const error = await engine.embed(fits).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(PromptTooLongError);
    let text = "x";
    let count = tokens;
    while (count < engine.contextTokens) {
      text += "1";
      count = (await engine.embed(text).catch(() => ({ tokens: Infinity }))).tokens;
    }
    expect(count).toBe(engine.contextTokens);
    await expect(engine.embed(`${text}1`)).rejects.toMatchObject({ code: "ERR_PROMPT_TOO_LONG" });
  });

  test("is not looked for during an answer", async () => {
    const answering = ask(engine, [user("x")], { maxTokens: 20 });
    await expect(engine.embed("x")).rejects.toMatchObject({ code: "ERR_BUSY" });
    await answering;
  });
});
