/** Nothing that a node says can steer the terminal, and nothing it says can crash a command. */
import { ClientError } from "@phantoma/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { notice, oneLine, printError, timeText, write, writeJson } from "./output.ts";

let shown = "";
beforeEach(() => {
  shown = "";
  const keep = (text: unknown) => ((shown += String(text)), true);
  vi.spyOn(process.stdout, "write").mockImplementation(keep);
  vi.spyOn(process.stderr, "write").mockImplementation(keep);
});
afterEach(() => vi.restoreAllMocks());

/** Clears the screen, sets the title, and begins a sequence with one C1 character. */
const HOSTILE = "a\u001b[2Jb\u001b]0;title\u0007\r\u007f\u009b31mc\n\td";

/** The characters that a terminal may obey: C0 but newline and tab, DEL, C1. */
function steering(text: string): number[] {
  const codes = Array.from(text, (character) => character.charCodeAt(0));
  return codes
    .filter((code) => code < 0x20 || (code >= 0x7f && code <= 0x9f))
    .filter((code) => code !== 0x0a && code !== 0x09);
}

test.each([
  ["text", () => write(HOSTILE), "a[2Jb]0;title31mc\n\td"],
  ["a notice", () => notice(HOSTILE), "a[2Jb]0;title31mc\n\td\n"],
])("%s keeps newline and tab and loses everything that steers", (_name, say, expected) => {
  say();
  expect(shown).toBe(expected);
});

test("an error's message cannot steer either", () => {
  printError(new ClientError("ERR_BUSY", HOSTILE), true);
  expect(steering(shown)).toEqual([]);
});

test("JSON is one line that a terminal may show and that still says everything", () => {
  const value = { text: `${HOSTILE}\u0080\u009f`, bytes: Buffer.of(1), count: 2n };
  writeJson(value);
  expect(steering(shown)).toEqual([]);
  expect(shown.trimEnd()).not.toContain("\n");
  expect(JSON.parse(shown)).toEqual({ text: value.text, bytes: "01", count: "2" });
});

test("a name stays in its line and in its order", () => {
  expect(oneLine("bob\nalice  admin\u202ecba\t")).toBe("bobalice  admincba");
});

test("a time that does not exist is said to be none", () => {
  expect(timeText(0)).toBe("1970-01-01T00:00:00.000Z");
  expect(timeText(2 ** 53 - 1)).toBe("at no time that exists");
});
