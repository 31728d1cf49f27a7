import { expect, test } from "vitest";
import { Canaries, readTag, type Place, type Words } from "./canaries.ts";

const PERIOD = 96;
const said = ({ system, attachment, question }: Words) => [system, attachment, question].join("\n");
const sent = (words: Words) =>
  [said(words), words.embedded, words.counted, words.grammar].join("\n");

test.each([undefined, "eight ch", "Grüße aus Łódź", "x".repeat(64)])(
  "the answer's word of %j is in what repeats the last period, and in nothing that was sent",
  (prefix) => {
    const words = new Canaries(prefix).words(3);
    const period = Buffer.from(words.question).subarray(-PERIOD).toString();
    expect(Buffer.byteLength(period)).toBe(PERIOD);
    expect(sent(words)).not.toContain(words.answer);
    expect(period + period).toContain(words.answer);
  },
);

test("what was sent holds every other word once, each to be read", () => {
  const canaries = new Canaries();
  const words = canaries.words(42);
  const found = sent(words).match(new RegExp(`${canaries.prefix}-.{5}\\.`, "g")) ?? [];
  expect(new Set(found).size).toBe(words.count - 1 + 3);
  const read = found.map((word) => readTag(word.slice(canaries.prefix.length)));
  for (const place of ["s", "a", "q"] satisfies Place[])
    expect(read.filter((word) => word?.place === place && word.ending === 42)).toHaveLength(6);
  for (const place of ["e", "c", "g"] satisfies Place[])
    expect(read.filter((word) => word?.place === place && word.ending === 42)).toHaveLength(1);
});

test("words that are too short or too long to be searched for are refused", () => {
  expect(() => new Canaries("seven c")).toThrow(RangeError);
  expect(() => new Canaries("x".repeat(65))).toThrow(RangeError);
});
