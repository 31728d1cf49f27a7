import { describe, expect, test } from "vitest";
import { describeTable } from "../../request/test-tables.ts";
import { embeddingsParameters, parseEmbeddingsRequest } from "./embeddings-parameters.ts";

const least = { model: "demo", input: "hello" };
const parse = (more: object) => parseEmbeddingsRequest({ ...least, ...more });
const texts = (count: number) => Array.from({ length: count }, () => "x");

describe("every parameter of the table", () => describeTable(embeddingsParameters, parse));

test.each([
  ["a name that nobody knows", { seed: 1 }, /^seed$/],
  ["an empty text", { input: "" }, /^input/],
  ["an empty text among others", { input: ["a", ""] }, /^input/],
  ["a list of tokens", { input: [1, 2] }, /^input/],
  ["no text", { input: [] }, /^input/],
])("%s is refused by its name", (_, more, param) => {
  const wanted = { status: 400, param: expect.stringMatching(param) };
  expect(() => parse(more)).toThrow(expect.objectContaining(wanted));
});

test("256 texts are taken, and one more is not", () => {
  expect(parse({ input: texts(256) }).texts).toHaveLength(256);
  expect(() => parse({ input: texts(257) })).toThrow(expect.objectContaining({ status: 400 }));
});
