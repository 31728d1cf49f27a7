import { expect, test } from "vitest";
import { decodeLogprobs, encodeLogprobs, LEAST_LOGPROB, type TokenLogprob } from "./logprobs.ts";
import { MAX_TOP_LOGPROBS, TaskKind } from "./task-messages.ts";

const likely = (token: string, logprob = -1.234567) => ({ token, logprob });
const said = (token: string, top: number): TokenLogprob => ({
  ...likely(token),
  top: Array.from({ length: top }, () => likely(token)),
});
const encoded = (pairs: unknown) => Buffer.from(JSON.stringify(pairs));

test.each([0, 1, MAX_TOP_LOGPROBS])("a token comes as it was said, with %i beside it", (top) => {
  const message = encodeLogprobs(said('a "word" 木\n', top), top);
  expect(message[0]).toBe(TaskKind.logprobs);
  expect(decodeLogprobs(message.subarray(1))).toEqual(said('a "word" 木\n', top));
});

test.each([0, 5, 20])(
  "a message with %i likeliest is as long whatever ordinary tokens it has",
  (top) => {
    const sizes = ["", "a", " tunnel", "\n\n\n", "木"].map(
      (token) => encodeLogprobs(said(token, top), top).length,
    );
    expect(new Set(sizes)).toEqual(new Set([32 * (1 + top)]));
  },
);

test("a vocabulary with fewer tokens than were asked for shows no other size", () => {
  expect(encodeLogprobs(said("a", 3), 20).length).toBe(encodeLogprobs(said("a", 20), 20).length);
});

test.each([
  ["the largest logarithm", [["a", 0]], [["a", 0.001]]],
  ["the least logarithm", [["a", LEAST_LOGPROB]], [["a", LEAST_LOGPROB - 1]]],
  [
    "the most tokens",
    Array.from({ length: 21 }, () => ["a", 0]),
    Array.from({ length: 22 }, () => ["a", 0]),
  ],
  ["the least tokens", [["a", 0]], []],
  ["the members of a pair", [["a", 0]], [["a", 0, 0]]],
])("%s is a bound", (_, good, bad) => {
  decodeLogprobs(encoded(good));
  expect(() => decodeLogprobs(encoded(bad))).toThrow(
    expect.objectContaining({ code: "ERR_INVALID_MESSAGE" }),
  );
});
