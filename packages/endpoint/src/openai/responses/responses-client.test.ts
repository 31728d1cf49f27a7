/** The Responses interface of the official OpenAI client, unchanged, in front of a real node. */
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { EndpointUnderTest, NODE_TIMEOUT_MS } from "../../test-endpoint.ts";

let under: EndpointUnderTest;
let client: OpenAI;
beforeAll(async () => {
  under = await EndpointUnderTest.start();
  client = new OpenAI({ baseURL: under.url, apiKey: under.key("one"), maxRetries: 0 });
}, NODE_TIMEOUT_MS);
afterAll(() => under.stop(), NODE_TIMEOUT_MS);

const input = "hello there";
const asked = () => ({ model: under.tiny, input, max_output_tokens: 12, temperature: 0 });

test("an answer comes whole, with its usage and how it ended", async () => {
  const answer = await client.responses.create({ ...asked(), instructions: "rules" });
  expect(answer).toMatchObject({
    status: "incomplete",
    incomplete_details: { reason: "max_output_tokens" },
    instructions: "rules",
    store: false,
  });
  expect(answer.output_text).not.toBe("");
  expect(answer.usage!.output_tokens).toBe(12);
});

test("an answer streams the same text, in numbered events", async () => {
  const whole = await client.responses.create(asked());
  const stream = client.responses.stream(asked());
  const types: string[] = [];
  const numbers: number[] = [];
  let text = "";
  for await (const event of stream) {
    types.push(event.type);
    numbers.push(event.sequence_number);
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  expect(text).toBe(whole.output_text);
  expect((await stream.finalResponse()).output_text).toBe(text);
  expect(numbers).toEqual(numbers.map((_, at) => at));
  const rest = types.filter((type) => type !== "response.output_text.delta");
  expect(rest).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.incomplete",
  ]);
});

test("an answer that is aborted ends, and the next one is given", async () => {
  const stream = await client.responses.create({
    ...asked(),
    max_output_tokens: 100_000,
    stream: true,
  });
  for await (const { type } of stream) if (type === "response.output_text.delta") break;
  expect((await client.responses.create(asked())).usage!.output_tokens).toBe(12);
});

test("a function is called, and its result goes on on the same worker", async () => {
  const tools: OpenAI.Responses.FunctionTool[] = [
    {
      type: "function",
      name: "weather",
      description: "of a city",
      parameters: {
        type: "object",
        properties: { city: { enum: ["Bern", "Basel"] } },
        required: ["city"],
        additionalProperties: false,
      },
      strict: true,
    },
  ];
  const more = { ...asked(), max_output_tokens: 300, tools, parallel_tool_calls: false };
  const first = await client.responses.create({ ...more, tool_choice: "required" });
  const [call] = first.output;
  if (call?.type !== "function_call") throw new Error("no call");
  expect(["Bern", "Basel"]).toContain(JSON.parse(call.arguments).city);
  const second = await client.responses.create({
    ...more,
    max_output_tokens: 8,
    tool_choice: "none",
    input: [
      { role: "user", content: input },
      call,
      { type: "function_call_output", call_id: call.call_id, output: "warm" },
    ],
  });
  expect(second.output_text).not.toBe("");
  const { cached_tokens: cached } = second.usage!.input_tokens_details;
  expect(cached).toBeGreaterThanOrEqual(first.usage!.total_tokens - 1);
  const streamed = client.responses.stream({ ...more, tool_choice: "required" });
  expect((await streamed.finalResponse()).output).toMatchObject([
    { type: "function_call", name: "weather", arguments: call.arguments },
  ]);
});

test("an answer is held to a schema", async () => {
  const format = zodTextFormat(z.strictObject({ n: z.enum(["a", "b"]) }), "form");
  const answer = await client.responses.parse({
    ...asked(),
    max_output_tokens: 100,
    text: { format },
  });
  expect(["a", "b"]).toContain(answer.output_parsed!.n);
  expect(answer.status).toBe("completed");
});

test("an error has its class and names its parameter", async () => {
  await expect(
    client.responses.create({ ...asked(), previous_response_id: "resp_1" }),
  ).rejects.toMatchObject({ status: 400, param: "previous_response_id" });
  const unknown = client.responses.create({ ...asked(), model: "none" });
  await expect(unknown).rejects.toThrow(OpenAI.NotFoundError);
});

test("what the model thought of tokens is included where it is asked for", async () => {
  const include = ["message.output_text.logprobs" as const];
  const request = { ...asked(), include, top_logprobs: 2 };
  const stream = client.responses.stream(request);
  let streamed = "";
  for await (const event of stream)
    if (event.type === "response.output_text.delta")
      streamed += event.logprobs.map(({ token }) => token).join("");
  const answer = await stream.finalResponse();
  const part = answer.output.flatMap((item) => (item.type === "message" ? item.content : []))[0]!;
  const logprobs = part.type === "output_text" ? part.logprobs! : [];
  expect(logprobs).toHaveLength(12);
  expect(logprobs[0]!.top_logprobs[0]!.logprob).toBe(logprobs[0]!.logprob);
  expect(streamed).toBe(logprobs.map(({ token }) => token).join(""));
  expect(streamed.trimStart()).toBe(answer.output_text);
  // What comes back in the next request is taken.
  const next = [
    { role: "user" as const, content: input },
    ...answer.output,
    { role: "user" as const, content: "x" },
  ];
  await client.responses.create({ ...asked(), input: next as OpenAI.Responses.ResponseInput });
});
