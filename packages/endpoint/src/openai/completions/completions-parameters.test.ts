import { describe, expect, test } from "vitest";
import { describeTable } from "../../request/test-tables.ts";
import { completionsParameters, parseCompletionsRequest } from "./completions-parameters.ts";

const least = { model: "demo", prompt: "Once" };
const parse = (more: object) => parseCompletionsRequest({ ...least, ...more });

describe("every parameter of the table", () => describeTable(completionsParameters, parse));

test.each([
  ["a name that nobody knows", { messages: [] }, "messages"],
  ["an empty prompt", { prompt: "" }, "prompt"],
  ["a prompt's tokens, which are not told", { echo: true, logprobs: 0 }, "logprobs"],
  ["options of a stream that is none", { stream_options: {} }, "stream_options"],
])("%s is refused by its name", (_, more, param) => {
  expect(() => parse(more)).toThrow(expect.objectContaining({ status: 400, param }));
});

test("several prompts and tokens are refused where they stand", () => {
  for (const prompt of [["a", "b"], [1, 2], [[1]], []])
    expect(() => parse({ prompt })).toThrow(
      expect.objectContaining({ status: 400, param: expect.stringMatching(/^prompt/) }),
    );
});

test.each([
  ["n", 8, 9],
  ["max_tokens", 1_000_000, 1_000_001],
  ["logprobs", 20, 21],
])("%s has a limit", (param, last, over) => {
  parse({ [param]: last });
  expect(() => parse({ [param]: over })).toThrow(expect.objectContaining({ status: 400, param }));
});

test("16 tokens are given where no number is", () => {
  expect(parse({}).sampling.maxTokens).toBe(16);
});
