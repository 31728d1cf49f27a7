/** Embeddings by the official OpenAI client, unchanged, in front of a real node. */
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

test("texts have vectors of length 1: the same text the same, another one another", async () => {
  const input = ["a tunnel", "a bird", "a tunnel"];
  const { data, usage } = await client.embeddings.create({ model: under.tiny, input });
  const [one, other, again] = data.map(({ embedding }) => embedding);
  expect(data.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(again).toEqual(one);
  expect(other).not.toEqual(one);
  expect(Math.hypot(...one!)).toBeCloseTo(1, 4);
  expect(usage.prompt_tokens).toBeGreaterThan(10);
});

test("both encodings say the same", async () => {
  const asked = { model: under.tiny, input: "a tunnel" };
  const floats = await client.embeddings.create({ ...asked, encoding_format: "float" });
  // The client asks for base64 where nothing is said, and decodes it.
  const decoded = await client.embeddings.create(asked);
  expect(decoded.data[0]!.embedding).toEqual(floats.data[0]!.embedding);
});

test("what is too long, or not there, is said as with chat", async () => {
  const long = client.embeddings.create({ model: under.tiny, input: "word ".repeat(20_000) });
  await expect(long).rejects.toMatchObject({ status: 400, code: "context_length_exceeded" });
  const shorter = client.embeddings.create({ model: under.tiny, input: "x", dimensions: 8 });
  await expect(shorter).rejects.toMatchObject({ status: 400, param: "dimensions" });
  const unknown = client.embeddings.create({ model: "none", input: "x" });
  await expect(unknown).rejects.toThrow(OpenAI.NotFoundError);
});
