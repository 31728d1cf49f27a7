/** The official OpenAI client, unchanged, against the endpoint in front of a real node. */
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { EndpointUnderTest, NODE_TIMEOUT_MS } from "../../test-endpoint.ts";

let under: EndpointUnderTest;
beforeAll(async () => {
  under = await EndpointUnderTest.start();
}, NODE_TIMEOUT_MS);
afterAll(() => under.stop(), NODE_TIMEOUT_MS);

const client = (key = "one") =>
  new OpenAI({ baseURL: under.url, apiKey: under.key(key), maxRetries: 0 });
const messages = [{ role: "user" as const, content: "hello there" }];

test("models are listed, and shown by their name", async () => {
  const names: string[] = [];
  for await (const { id } of client().models.list()) names.push(id);
  expect(names).toEqual([under.tiny, under.echo]);
  expect(await client().models.retrieve(under.tiny)).toMatchObject({ object: "model" });
  await expect(client().models.retrieve("none")).rejects.toThrow(OpenAI.NotFoundError);
});

describe("an answer", () => {
  const asked = () => ({ model: under.tiny, messages, max_tokens: 12, seed: 7 });

  test("comes whole, with its usage and its end", async () => {
    const answer = await client().chat.completions.create(asked());
    expect(answer.choices).toHaveLength(1);
    expect(answer.choices[0]!.finish_reason).toBe("length");
    expect(answer.choices[0]!.message.content!.length).toBeGreaterThan(0);
    const { prompt_tokens, completion_tokens, total_tokens } = answer.usage!;
    expect(completion_tokens).toBe(12);
    expect(total_tokens).toBe(prompt_tokens + 12);
  });

  test("streams the same text, and its usage last where it was asked for", async () => {
    const whole = await client().chat.completions.create(asked());
    const stream = await client().chat.completions.create({
      ...asked(),
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
    expect(text).toBe(whole.choices[0]!.message.content);
    expect(chunks[0]!.choices[0]!.delta.role).toBe("assistant");
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe("length");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 12 } });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
  });

  test("ends before a stop string", async () => {
    const free = await client().chat.completions.create(asked());
    const text = free.choices[0]!.message.content!;
    const stop = text.slice(3, 5);
    const answer = await client().chat.completions.create({ ...asked(), stop });
    expect(answer.choices[0]!.finish_reason).toBe("stop");
    expect(answer.choices[0]!.message.content).toBe(text.slice(0, text.indexOf(stop)));
  });

  test("comes as often as it was asked for, each time another one", async () => {
    const create = () => client().chat.completions.create({ ...asked(), n: 3 });
    const [once, again] = [await create(), await create()];
    const texts = once.choices.map(({ message }) => message.content);
    expect(new Set(texts).size).toBe(3);
    expect(again.choices.map(({ message }) => message.content)).toEqual(texts);
    expect(once.usage!.completion_tokens).toBe(36);
    const stream = await client().chat.completions.create({ ...asked(), n: 3, stream: true });
    const streamed = ["", "", ""];
    for await (const { choices } of stream)
      for (const { index, delta } of choices) streamed[index] += delta.content ?? "";
    expect(streamed).toEqual(texts);
  });
});

describe("what the model thought of tokens", () => {
  const asked = { messages, max_tokens: 8, temperature: 0, logprobs: true, top_logprobs: 3 };
  const textOf = (tokens: readonly { token: string }[]) =>
    tokens.map(({ token }) => token).join("");

  test("stands beside the text that they are", async () => {
    const answer = await client().chat.completions.create({ ...asked, model: under.tiny });
    const { content } = answer.choices[0]!.logprobs!;
    expect(content).toHaveLength(8);
    expect(textOf(content!).trimStart()).toBe(answer.choices[0]!.message.content);
    for (const { token, bytes, logprob, top_logprobs: top } of content!) {
      expect(Buffer.from(bytes!).toString()).toBe(token);
      expect(top).toHaveLength(3);
      // The likeliest is taken at temperature 0.
      expect(top[0]).toEqual({ token, bytes, logprob });
      expect(top.reduce((sum, one) => sum + Math.exp(one.logprob), 0)).toBeLessThanOrEqual(1.0001);
    }
  });

  test("streams with it", async () => {
    const request = { ...asked, model: under.tiny };
    const whole = await client().chat.completions.create(request);
    const tokens: OpenAI.ChatCompletionTokenLogprob[] = [];
    for await (const { choices } of await client().chat.completions.create({
      ...request,
      stream: true,
    }))
      tokens.push(...(choices[0]?.logprobs?.content ?? []));
    expect(tokens).toEqual(whole.choices[0]!.logprobs!.content);
  });

  test("is not told unless it is asked for", async () => {
    const { logprobs: _, top_logprobs: __, ...silent } = asked;
    const answer = await client().chat.completions.create({ ...silent, model: under.tiny });
    expect(answer.choices[0]!.logprobs).toBeNull();
  });

  test("is of no call", async () => {
    const answer = await client().chat.completions.create({
      model: under.tiny,
      messages,
      logprobs: true,
      tools: [{ type: "function", function: { name: "f", parameters: { const: 1 } } }],
      tool_choice: "required",
      parallel_tool_calls: false,
    });
    expect(answer.choices[0]!.message.tool_calls).toHaveLength(1);
    expect(answer.choices[0]!.logprobs!.content).toEqual([]);
  });
});

describe("a conversation", () => {
  type Message = OpenAI.ChatCompletionMessageParam;
  async function say(said: readonly Message[], more: { key?: string; user?: string } = {}) {
    const { key, user } = more;
    const answer = await client(key).chat.completions.create({
      model: under.tiny,
      messages: [...said],
      max_tokens: 12,
      ...(user !== undefined && { user }),
    });
    const { cached_tokens: cached = 0 } = answer.usage!.prompt_tokens_details!;
    return { cached, said: [...said, answer.choices[0]!.message as Message], answer };
  }
  const question = (content: string) => ({ role: "user", content }) as const;

  test("goes on in the memory of its worker", async () => {
    const first = await say([question("a first question of some length")]);
    expect(first.cached).toBe(0);
    const second = await say([...first.said, question("and a second")]);
    // All that was evaluated is reused: question, answer, and not the last token, which was only chosen.
    expect(second.cached).toBeGreaterThanOrEqual(first.answer.usage!.total_tokens - 1);
    const again = await say([...first.said, question("and another second")]);
    expect(again.cached).toBeGreaterThanOrEqual(first.answer.usage!.prompt_tokens);
  });

  test("is never found by another key, by another user, or after another answer", async () => {
    const first = await say([question("a question that is asked by several")], { user: "a" });
    const next = [...first.said, question("and a second")];
    expect((await say(next, { key: "two", user: "a" })).cached).toBe(0);
    expect((await say(next, { user: "b" })).cached).toBe(0);
    expect((await say(next)).cached).toBe(0);
    const edited = [first.said[0]!, { role: "assistant" as const, content: "no" }, next.at(-1)!];
    expect((await say(edited, { user: "a" })).cached).toBe(0);
  });

  test("that has only its system message in common is another one", async () => {
    const system: Message = { role: "system", content: "rules that every request begins with" };
    await say([system, question("one")]);
    expect((await say([system, question("two")])).cached).toBe(0);
  });

  test("stays good when its answer is no longer wanted, and the model stops", async () => {
    const asked = [question("a question whose answer is left")];
    const stream = await client().chat.completions.create({
      model: under.tiny,
      messages: asked,
      stream: true,
    });
    let text = "";
    for await (const { choices } of stream) {
      text += choices[0]!.delta.content ?? "";
      if (text.length > 20) break;
    }
    // Without a stop the endless model would keep its worker, which would refuse this as ERR_BUSY.
    await sleep(500);
    expect((await say(asked)).cached).toBeGreaterThan(0);
  });
});

describe("functions", () => {
  const tools: OpenAI.ChatCompletionTool[] = ["weather", "time"].map((name) => ({
    type: "function",
    function: {
      name,
      description: "of a city",
      parameters: {
        type: "object",
        properties: { city: { enum: ["Bern", "Basel"] } },
        required: ["city"],
      },
    },
  }));
  const asked = () => ({ model: under.tiny, messages, tools, seed: 3, max_tokens: 400 });

  test("are called with arguments of their schema, and their result goes on on the same worker", async () => {
    const first = await client().chat.completions.create({
      ...asked(),
      tool_choice: "required",
      parallel_tool_calls: false,
    });
    const [choice] = first.choices;
    expect(choice!.finish_reason).toBe("tool_calls");
    expect(choice!.message.content).toBeNull();
    expect(choice!.message.tool_calls).toHaveLength(1);
    const call = choice!.message.tool_calls![0]!;
    if (call.type !== "function") throw new Error("a call of another kind");
    expect(["weather", "time"]).toContain(call.function.name);
    expect(["Bern", "Basel"]).toContain(JSON.parse(call.function.arguments).city);
    const result = { role: "tool", tool_call_id: call.id, content: "warm" } as const;
    const second = await client().chat.completions.create({
      ...asked(),
      max_tokens: 8,
      messages: [...messages, choice!.message, result],
      tool_choice: "none",
    });
    expect(second.choices[0]!.message.content).not.toBe("");
    const { cached_tokens: cached } = second.usage!.prompt_tokens_details!;
    expect(cached).toBeGreaterThanOrEqual(first.usage!.total_tokens - 1);
  });

  test("that are named are the ones that are called, streamed as well", async () => {
    const stream = client().chat.completions.stream({
      ...asked(),
      tool_choice: { type: "function", function: { name: "time" } },
      parallel_tool_calls: false,
    });
    const { message, finish_reason } = (await stream.finalChatCompletion()).choices[0]!;
    expect(finish_reason).toBe("tool_calls");
    expect(
      message.tool_calls!.map((call) => call.type === "function" && call.function.name),
    ).toEqual(["time"]);
  });

  test("and a result of no call are told apart by name", async () => {
    const lost = { role: "tool", tool_call_id: "none", content: "x" } as const;
    await expect(
      client().chat.completions.create({ ...asked(), messages: [...messages, lost] }),
    ).rejects.toMatchObject({ status: 400, param: "messages[1].tool_call_id" });
    await expect(
      client().chat.completions.create({
        ...asked(),
        tool_choice: { type: "function", function: { name: "none" } },
      }),
    ).rejects.toMatchObject({ status: 400, param: "tool_choice" });
  });
});

describe("a form", () => {
  const person = z.strictObject({ name: z.enum(["a", "b"]), age: z.int().min(0).max(9) });
  const asked = () => ({ model: under.tiny, messages, max_tokens: 200, seed: 5 });

  test("of a schema is that of the answer", async () => {
    const format = zodResponseFormat(person, "person");
    const answer = await client().chat.completions.parse({ ...asked(), response_format: format });
    expect(answer.choices[0]!.finish_reason).toBe("stop");
    expect(person.parse(answer.choices[0]!.message.parsed)).toBeDefined();
  });

  test("of JSON begins as an object does", async () => {
    const answer = await client().chat.completions.create({
      ...asked(),
      response_format: { type: "json_object" },
    });
    expect(answer.choices[0]!.message.content).toMatch(/^\{/);
  });

  test("that cannot be held is refused by its keyword", async () => {
    const schema = { type: "string", pattern: "a+" };
    await expect(
      client().chat.completions.create({
        ...asked(),
        response_format: { type: "json_schema", json_schema: { name: "x", schema } },
      }),
    ).rejects.toMatchObject({ param: "response_format.json_schema.schema.pattern" });
  });
});

describe("an error", () => {
  const create = (more: object, key?: string) =>
    client(key).chat.completions.create({ model: under.tiny, messages, ...more });

  test("of a parameter names it", async () => {
    await expect(create({ logit_bias: { 1: 2 } })).rejects.toMatchObject({
      status: 400,
      type: "invalid_request_error",
      param: "logit_bias",
      code: "unsupported_value",
    });
    await expect(create({ max_words: 3 })).rejects.toMatchObject({
      param: "max_words",
      code: "unknown_parameter",
    });
  });

  test("of a key or a model has the class that programs look for", async () => {
    const stranger = new OpenAI({ baseURL: under.url, apiKey: "pk-none", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toThrow(OpenAI.AuthenticationError);
    const unknown = create({ model: "gpt-4o" });
    await expect(unknown).rejects.toThrow(OpenAI.NotFoundError);
    await expect(unknown).rejects.toMatchObject({ code: "model_not_found", param: "model" });
  });

  test("of a prompt that is too long is one, streamed or not", async () => {
    const long = [{ role: "user", content: "word ".repeat(20_000) }];
    for (const stream of [false, true])
      await expect(create({ messages: long, stream })).rejects.toMatchObject({
        status: 400,
        code: "context_length_exceeded",
      });
  });
});
