/** The `ai` package, unchanged, with its provider for interfaces like OpenAI's. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, isStepCount, Output, streamText, tool } from "ai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { EndpointUnderTest, NODE_TIMEOUT_MS } from "../../test-endpoint.ts";

let under: EndpointUnderTest;
beforeAll(async () => {
  under = await EndpointUnderTest.start();
}, NODE_TIMEOUT_MS);
afterAll(() => under.stop(), NODE_TIMEOUT_MS);

const model = (apiKey = under.key("one")) =>
  createOpenAICompatible({
    name: "phantoma",
    baseURL: under.url,
    apiKey,
    includeUsage: true,
    supportsStructuredOutputs: true,
  }).chatModel(under.tiny);
const asked = () => ({ model: model(), prompt: "hello", maxOutputTokens: 12, seed: 7 });

test("a text is generated, and streamed the same", async () => {
  const whole = await generateText(asked());
  expect(whole.finishReason).toBe("length");
  expect(whole.usage.outputTokens).toBe(12);
  const streamed = streamText(asked());
  let text = "";
  for await (const part of streamed.textStream) text += part;
  expect(text).toBe(whole.text);
  expect((await streamed.usage).outputTokens).toBe(12);
});

test("an object is of its schema, and a function is called and answered", async () => {
  const { output } = await generateText({
    ...asked(),
    maxOutputTokens: 200,
    output: Output.object({ schema: z.object({ city: z.enum(["Bern", "Basel"]) }) }),
  });
  expect(["Bern", "Basel"]).toContain(output.city);
  const asks: string[] = [];
  const { steps } = await generateText({
    ...asked(),
    maxOutputTokens: 1_000,
    tools: {
      weather: tool({
        inputSchema: z.object({ city: z.enum(["Bern", "Basel"]) }),
        execute: ({ city }) => {
          asks.push(city);
          return { weather: "warm" };
        },
      }),
    },
    toolChoice: "required",
    stopWhen: isStepCount(2),
  });
  expect(steps.map(({ finishReason }) => finishReason)).toEqual(["tool-calls", "tool-calls"]);
  expect(asks.length).toBeGreaterThanOrEqual(2);
});

test("a stream that is aborted ends, and the next one is answered", async () => {
  const abort = new AbortController();
  const { fullStream } = streamText({
    model: model(),
    prompt: "endless",
    abortSignal: abort.signal,
  });
  const types = new Set<string>();
  for await (const { type } of fullStream) {
    types.add(type);
    if (type === "text-delta") abort.abort();
  }
  expect(types).toContain("abort");
  expect((await generateText(asked())).text).not.toBe("");
});

test("an error has its status and its sentence", async () => {
  const refused = generateText({ ...asked(), frequencyPenalty: 1, maxRetries: 0 });
  await expect(refused).rejects.toThrow(APICallError);
  await expect(refused).rejects.toThrow("'frequency_penalty'");
  const stranger = generateText({ ...asked(), model: model("pk-none"), maxRetries: 0 });
  await expect(stranger).rejects.toMatchObject({ statusCode: 401 });
});
