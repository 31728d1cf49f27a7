import { expect, test } from "vitest";
import { continuation, joinNeighbours, textContinuation, type Said } from "./continuation.ts";

/** `s`, `u` and `a` are roles; what follows is the text. */
const said = (...messages: string[]): Said[] =>
  messages.map((message) => ({
    role: ({ s: "system", u: "user", a: "assistant" } as const)[message[0] as "s" | "u" | "a"],
    text: message.slice(1),
  }));

const live = said("srules", "uone", "aeins", "utwo", "azwei");

test.each([
  ["one question more goes on", ["srules", "uone", "aeins", "utwo", "azwei", "uthree"], 5],
  ["the same question again replaces its answer", ["srules", "uone", "aeins", "utwo"], 3],
  ["another question instead of the last one", ["srules", "uone", "aeins", "uother"], 3],
  ["the first question again", ["srules", "uone"], 1],
  ["another first question has only the rules in common", ["srules", "uother"], undefined],
  ["other rules make another conversation", ["sother", "uone", "aeins", "utwo"], undefined],
  ["an answer that was edited", ["srules", "uone", "aanders", "utwo"], undefined],
  ["what has one question less at its start", ["utwo", "azwei", "uthree"], undefined],
  [
    "two questions that were not said",
    ["srules", "uone", "aeins", "uthree", "adrei", "ufour"],
    undefined,
  ],
  ["a text in another role", ["uone", "arules", "utwo"], undefined],
] as const)("%s", (_, request, keep) => {
  expect(continuation(live, said(...request))).toBe(keep);
});

test("nothing goes on with a conversation in which nothing was said", () => {
  expect(continuation([], said("uone"))).toBeUndefined();
});

test("a text goes on where it begins with an earlier one", () => {
  expect(textContinuation(said("uone", "a more"), said("uone more and"))).toBe(0);
  expect(textContinuation(said("uone", "a more"), said("uone"))).toBe(0);
  expect(textContinuation(said("uone", "a more"), said("uon"))).toBeUndefined();
  expect(textContinuation([], said("uone"))).toBeUndefined();
});

test("neighbours of one role are one message", () => {
  expect(joinNeighbours(said("sa", "sb", "uc", "ad", "ue", "uf"))).toEqual(
    said("sa\n\nb", "uc", "ad", "ue\n\nf"),
  );
});
