import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { AnswerText } from "./answer-text.ts";
import type { StopString } from "./answer-text.ts";

describe("a text of one token per byte", () => {
  test("arrives as it was, in whole characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const { pieces } = answer(text, []);
        expect(pieces.join("")).toBe(text.trimStart());
        expect(pieces.every((piece) => !piece.includes("\uFFFD"))).toBe(!text.includes("\uFFFD"));
      }),
    );
  });

  test("ends before the first stop string, whatever the pieces", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "é") });
    const stopStrings = fc.array(
      fc.string({ unit: fc.constantFrom("a", "b", "é"), minLength: 1 }),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(letters, stopStrings, (text, stops) => {
        const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
        const expected = text.slice(0, Math.min(text.length, ...ends));
        // A longer stop string may begin earlier and be complete later: what counts is which is complete first.
        const shown = answer(text, stops).pieces.join("");
        expect(text.startsWith(shown)).toBe(true);
        expect(shown.length).toBeGreaterThanOrEqual(expected.length);
        expect(stops.some((stop) => shown.includes(stop))).toBe(false);
      }),
    );
  });
});

test("what may begin a stop string is held back, and given when it does not", () => {
  const { pieces } = answer("say STO", ["STOP"]);
  expect(pieces).toEqual(["s", "a", "y", " ", "STO"]);
});

test("a character cut off at the end is not shown", () => {
  const bytes = Buffer.from("ok €");
  const { pieces, exactTokens } = answerBytes([...bytes.subarray(0, -1)], []);
  expect(pieces.join("")).toBe("ok ");
  expect(exactTokens).toBe(3);
});

test("bytes that are no text are shown as such, and hold nothing up", () => {
  const { pieces } = answerBytes([...Array<number>(100).fill(0xff), 0x61], []);
  expect(pieces.join("")).toBe(`${"\uFFFD".repeat(100)}a`);
});

test("an answer cut by a stop string may end inside a token", () => {
  expect(answer("ab#", ["#"]).exactTokens).toBe(0);
  expect(answer("ab", ["#"]).exactTokens).toBe(2);
});

test("the caller's stop string is told from the template's", () => {
  expect(answer("a#b", ["#"]).stop?.from).toBe("caller");
});

function answer(text: string, stops: readonly string[]) {
  return answerBytes([...Buffer.from(text)], stops);
}

function answerBytes(bytes: readonly number[], stops: readonly string[]) {
  const pieces: string[] = [];
  const decode = (before: readonly number[], tokens: readonly number[]) =>
    Buffer.from([...before, ...tokens])
      .toString()
      .slice(Buffer.from(before).toString().length);
  const strings = stops.map((text): StopString => ({ text, from: "caller" }));
  const text = new AnswerText(decode, [], strings, (piece) => pieces.push(piece));
  let stop: StopString | undefined;
  for (const byte of bytes) {
    stop = text.add(byte);
    if (stop !== undefined) break;
  }
  text.finish();
  return { pieces, stop, exactTokens: text.exactTokens };
}
