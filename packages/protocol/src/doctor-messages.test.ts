/** What a doctor may say, at its bounds and one past them. */
import { describe, expect, test } from "vitest";
import { controlResponseSchema } from "./control-messages.ts";
import { doctorAdvice } from "./doctor-advice.ts";
import {
  doctorChecks,
  doctorSchema,
  findingSchema,
  hostChecks,
  wipeChecks,
} from "./doctor-messages.ts";

const finding = { isGood: true, detail: null };
const findings = Object.fromEntries(doctorChecks.map((check) => [check, finding]));
const doctor = { grade: "A", heldBy: null, readAt: 0, findings };

test.each([
  [{}, true],
  [{ isGood: false }, true],
  [{ isGood: null, detail: "no /proc/swaps" }, true],
  [{ isGood: "yes" }, false],
  [{ isGood: undefined }, false],
  [{ detail: "d".repeat(120) }, true],
  [{ detail: "d".repeat(121) }, false],
  [{ detail: "" }, false],
  [{ detail: "two\nlines" }, false],
  [{ detail: "\u001b[2J" }, false],
  [{ detail: "ü" }, false],
  [{ path: "/" }, false],
])("a finding with %j: %s", (change, isTaken) => {
  expect(findingSchema.safeParse({ ...finding, ...change }).success).toBe(isTaken);
});

describe("an answer", () => {
  test.each([
    [{}, true],
    [{ grade: "B", heldBy: "swap", readAt: null }, true],
    [{ grade: "D" }, false],
    [{ heldBy: "weather" }, false],
    [{ readAt: -1 }, false],
    [{ findings: { ...findings, weather: finding } }, false],
    [{ cmdline: "" }, false],
  ])("with %j: %s", (change, isTaken) => {
    const answer = { ...doctor, ...change };
    expect(doctorSchema.safeParse(answer).success).toBe(isTaken);
    expect(controlResponseSchema.safeParse({ response: "doctor", doctor: answer }).success).toBe(
      isTaken,
    );
  });

  test.each(doctorChecks)("without %s is none", (check) => {
    const { [check]: _, ...fewer } = findings;
    expect(doctorSchema.safeParse({ ...doctor, findings: fewer }).success).toBe(false);
  });
});

test("every check has its words, and every one that decides the grade is of the machine", () => {
  expect(Object.keys(doctorAdvice).toSorted()).toEqual([...doctorChecks].toSorted());
  for (const check of wipeChecks) expect(hostChecks).toContain(check);
});
