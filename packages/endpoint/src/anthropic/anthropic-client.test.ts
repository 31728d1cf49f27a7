/** The official Anthropic client, unchanged, against the endpoint in front of a real node. */
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EndpointUnderTest, NODE_TIMEOUT_MS } from "../test-endpoint.ts";

let under: EndpointUnderTest;
beforeAll(async () => {
  under = await EndpointUnderTest.start();
}, NODE_TIMEOUT_MS);
afterAll(() => under.stop(), NODE_TIMEOUT_MS);

const client = (apiKey = under.key("one")) =>
  new Anthropic({ baseURL: under.origin, apiKey, authToken: null, maxRetries: 0 });
const messages: Anthropic.MessageParam[] = [{ role: "user", content: "hello there" }];
/** The same text every time: the interface has no seed. */
const asked = () => ({ model: under.tiny, messages, max_tokens: 12, temperature: 0 });
const textOf = ({ content }: Anthropic.Message) =>
  content.map((block) => (block.type === "text" ? block.text : "")).join("");

describe("an answer", () => {
  test("comes whole, with its usage and its end", async () => {
    const answer = await client().messages.create({ ...asked(), system: "rules" });
    expect(answer).toMatchObject({ role: "assistant", stop_reason: "max_tokens" });
    expect(textOf(answer)).not.toBe("");
    expect(answer.usage.output_tokens).toBe(12);
    expect(answer.usage.input_tokens).toBeGreaterThan(0);
  });

  test("streams the same text", async () => {
    const whole = await client().messages.create(asked());
    const stream = client().messages.stream(asked());
    let text = "";
    stream.on("text", (delta) => (text += delta));
    const answer = await stream.finalMessage();
    expect(text).toBe(textOf(whole));
    expect(textOf(answer)).toBe(text);
    expect(answer.stop_reason).toBe("max_tokens");
    expect(answer.usage.output_tokens).toBe(12);
  });

  test("ends before a stop sequence, and says which", async () => {
    const text = textOf(await client().messages.create(asked()));
    const stop = text.slice(3, 5);
    const answer = await client().messages.create({ ...asked(), stop_sequences: [stop] });
    expect(answer).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: stop });
    expect(textOf(answer)).toBe(text.slice(0, text.indexOf(stop)));
  });

  test("goes on in the memory of its worker, for the same user only", async () => {
    const first = await client().messages.create({ ...asked(), metadata: { user_id: "a" } });
    const next: Anthropic.MessageParam[] = [
      ...messages,
      { role: "assistant", content: first.content },
      { role: "user", content: "and a second" },
    ];
    const ask = (user_id: string) =>
      client().messages.create({ ...asked(), messages: next, metadata: { user_id } });
    expect((await ask("b")).usage.cache_read_input_tokens).toBe(0);
    const { input_tokens, output_tokens } = first.usage;
    expect((await ask("a")).usage.cache_read_input_tokens).toBeGreaterThanOrEqual(
      input_tokens + output_tokens - 1,
    );
  });

  test("that is aborted ends, and the next one is given", async () => {
    const stream = client().messages.stream({ ...asked(), max_tokens: 100_000 });
    stream.on("text", () => stream.abort());
    await expect(stream.finalMessage()).rejects.toThrow(Anthropic.APIUserAbortError);
    expect((await client().messages.create(asked())).usage.output_tokens).toBe(12);
  });
});

describe("functions", () => {
  const tools: Anthropic.Tool[] = [
    {
      name: "weather",
      description: "of a city",
      input_schema: {
        type: "object",
        properties: { city: { enum: ["Bern", "Basel"] } },
        required: ["city"],
      },
    },
  ];
  const choice = { type: "any", disable_parallel_tool_use: true } as const;
  const withTools = () => ({ ...asked(), max_tokens: 300, tools, tool_choice: choice });

  test("are called, and their result goes on on the same worker", async () => {
    const first = await client().messages.create(withTools());
    expect(first.stop_reason).toBe("tool_use");
    const [use] = first.content;
    if (use?.type !== "tool_use") throw new Error("no call");
    expect(["Bern", "Basel"]).toContain((use.input as { city: string }).city);
    const second = await client().messages.create({
      ...withTools(),
      max_tokens: 8,
      tool_choice: { type: "none" },
      messages: [
        ...messages,
        { role: "assistant", content: first.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "warm" }] },
      ],
    });
    expect(textOf(second)).not.toBe("");
    expect(second.usage.cache_read_input_tokens).toBeGreaterThan(first.usage.input_tokens);
  });

  test("are called in a stream as well", async () => {
    const answer = await client().messages.stream(withTools()).finalMessage();
    expect(answer.stop_reason).toBe("tool_use");
    expect(answer.content).toMatchObject([
      { type: "tool_use", name: "weather", input: { city: expect.stringMatching(/^B/) } },
    ]);
  });
});

test("an answer is held to a schema", async () => {
  const schema = { type: "object", properties: { n: { enum: [1, 2] } }, required: ["n"] };
  const answer = await client().messages.create({
    ...asked(),
    max_tokens: 100,
    output_config: { format: { type: "json_schema", schema } },
  });
  expect([1, 2]).toContain(JSON.parse(textOf(answer)).n);
});

test("an error has its class, its type and its sentence", async () => {
  const refused = client().messages.create({
    ...asked(),
    thinking: { type: "enabled", budget_tokens: 1024 },
  });
  await expect(refused).rejects.toThrow(Anthropic.BadRequestError);
  await expect(refused).rejects.toMatchObject({
    error: { type: "error", error: { type: "invalid_request_error" } },
  });
  await expect(refused).rejects.toThrow("'thinking'");
  const stranger = client("pk-none").messages.create(asked());
  await expect(stranger).rejects.toThrow(Anthropic.AuthenticationError);
  const unknown = client().messages.create({ ...asked(), model: "none" });
  await expect(unknown).rejects.toThrow(Anthropic.NotFoundError);
});

describe("a count", () => {
  const countTokens = async (more: object = {}) =>
    (await client().messages.countTokens({ model: under.tiny, messages, ...more })).input_tokens;

  test("is what the answer's prompt is then", async () => {
    const tools: Anthropic.Tool[] = [{ name: "f", input_schema: { type: "object" } }];
    for (const more of [{}, { system: "rules" }, { tools }]) {
      const { usage } = await client().messages.create({ ...asked(), ...more });
      expect(await countTokens(more)).toBe(usage.input_tokens + usage.cache_read_input_tokens!);
    }
    expect(await countTokens({ system: "rules" })).toBeGreaterThan(await countTokens());
  });

  test("is made by the conversation that it goes on with, which stays as it was", async () => {
    const first = await client().messages.create(asked());
    const next: Anthropic.MessageParam[] = [
      ...messages,
      { role: "assistant", content: first.content },
      { role: "user", content: "and a second" },
    ];
    const count = await countTokens({ messages: next });
    const { usage } = await client().messages.create({ ...asked(), messages: next });
    expect(usage.cache_read_input_tokens!).toBeGreaterThanOrEqual(
      first.usage.input_tokens + first.usage.cache_read_input_tokens!,
    );
    expect(usage.input_tokens + usage.cache_read_input_tokens!).toBe(count);
  });

  test.each([
    ["a parameter of answers", { max_tokens: 1 }, "max_tokens"],
    ["a header of the client's", { workspace_id: "x" }, "workspace_id"],
  ])("with %s is refused by its name", async (_, more, name) => {
    await expect(countTokens(more)).rejects.toThrow(`'${name}'`);
  });
});

test("what the client sends as a header is refused by its name", async () => {
  const request = { ...asked(), user_profile_id: "x" };
  await expect(client().messages.create(request)).rejects.toThrow("'user_profile_id'");
});
