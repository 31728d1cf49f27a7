/** The older interface of the official OpenAI client, unchanged, in front of a real node. */
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EndpointUnderTest, NODE_TIMEOUT_MS } from "../../test-endpoint.ts";

let under: EndpointUnderTest;
let client: OpenAI;
beforeAll(async () => {
  under = await EndpointUnderTest.start();
  client = new OpenAI({ baseURL: under.url, apiKey: under.key("one"), maxRetries: 0 });
}, NODE_TIMEOUT_MS);
afterAll(() => under.stop(), NODE_TIMEOUT_MS);

const prompt = "Once upon a time";
const asked = () => ({ model: under.tiny, prompt, seed: 1 });

test("a text is continued, without a template and 16 tokens far", async () => {
  const answer = await client.completions.create({ ...asked(), echo: true });
  expect(answer.choices[0]).toMatchObject({ finish_reason: "length", index: 0 });
  expect(answer.choices[0]!.text.startsWith(prompt)).toBe(true);
  expect(answer.usage!.completion_tokens).toBe(16);
  // One for each character at most, and one for the beginning.
  expect(answer.usage!.prompt_tokens).toBeLessThanOrEqual(prompt.length + 1);
});

test("a text that is written on is continued on the same worker, for the same user only", async () => {
  const more = { max_tokens: 4, user: "a" };
  const first = await client.completions.create({ ...asked(), ...more });
  const ask = async (next: string, user: string) => {
    const { usage } = await client.completions.create({ ...asked(), ...more, prompt: next, user });
    return usage!.prompt_tokens_details!.cached_tokens;
  };
  const next = `${prompt}${first.choices[0]!.text} and`;
  expect(await ask(next, "b")).toBe(0);
  expect(await ask(next, "a")).toBeGreaterThan(8);
  expect(await ask("Something else", "a")).toBe(0);
});

test("several answers stream as they come whole", async () => {
  const whole = await client.completions.create({ ...asked(), n: 2, max_tokens: 6 });
  const texts = ["", ""];
  const stream = await client.completions.create({ ...asked(), n: 2, max_tokens: 6, stream: true });
  for await (const { choices } of stream)
    for (const { index, text } of choices) texts[index] += text;
  expect(texts).toEqual(whole.choices.map(({ text }) => text));
});

test("what the model thought of tokens stands beside them, with their places in the text", async () => {
  const request = { ...asked(), logprobs: 2, max_tokens: 6 };
  const whole = await client.completions.create(request);
  const { text, logprobs } = whole.choices[0]!;
  const { tokens = [], token_logprobs, top_logprobs, text_offset } = logprobs!;
  expect(tokens.join("")).toBe(text);
  expect(text_offset!.map((at, index) => text.slice(at, at + tokens[index]!.length))).toEqual(
    tokens,
  );
  for (const [index, token] of tokens.entries()) {
    expect(top_logprobs![index]![token]).toBe(token_logprobs![index]);
    expect(Object.keys(top_logprobs![index]!).length).toBeGreaterThanOrEqual(2);
  }
  const offsets: number[] = [];
  for await (const { choices } of await client.completions.create({ ...request, stream: true }))
    offsets.push(...(choices[0]?.logprobs?.text_offset ?? []));
  expect(offsets).toEqual(text_offset);
});
