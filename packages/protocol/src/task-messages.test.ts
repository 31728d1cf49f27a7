/** Every field of a task message at its bounds and one past them. */
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import {
  attachedSchema,
  attachHeaderSchema,
  closingSchema,
  countedSchema,
  countSchema,
  embeddedSchema,
  embedSchema,
  finishSchema,
  openedSchema,
  openSchema,
  refusedSchema,
  samplingSchema,
  taskRefusals,
  TaskKind,
  turnSchema,
} from "./task-messages.ts";

const times = <T>(count: number, value: T) => Array.from({ length: count }, () => value);
const said = { role: "user", text: "" };
const usage = { promptTokens: 0, reusedTokens: 0, completionTokens: 0 };
const timings = { promptMs: null, firstTokenMs: null, totalMs: 0 };
const opened = { model: "", contextTokens: 1, threads: 1, idleTimeoutMs: 1 };
const open = { mode: "turn", steady: true, history: [] };
const finish = { reason: "stop", usage, timings };

test("requests are below 0x80, answers above, and no two kinds are the same", () => {
  const { open, attach, turn, stop, end, embed, count, ...answers } = TaskKind;
  for (const kind of [open, attach, turn, stop, end, embed, count]) expect(kind).toBeLessThan(0x80);
  for (const kind of Object.values(answers)) expect(kind).toBeGreaterThan(0x80);
  expect(new Set(Object.values(TaskKind)).size).toBe(16);
});

type Case = readonly [
  field: string,
  schema: z.ZodType,
  base: object,
  good: unknown[],
  bad: unknown[],
];

const cases: Case[] = [
  ["mode", openSchema, open, ["conversation", "turn"], ["", "both", undefined]],
  ["steady", openSchema, open, [true, false], [1, "true", undefined]],
  ["history", openSchema, open, [[], times(10_000, said)], [times(10_001, said), said, [{}]]],
  ["history", openSchema, open, [[{ ...said, role: "system" }]], [[{ ...said, role: "tool" }]]],
  ["history", openSchema, open, [[said]], [[{ ...said, name: "x" }], [{ role: "user", text: 1 }]]],
  ["template", openSchema, open, ["model", "none"], ["chat", null, true]],
  ["name", attachHeaderSchema, {}, ["a", "a".repeat(255)], ["", "a".repeat(256), 1]],
  ["text", turnSchema, {}, ["", "a".repeat(100_000)], [undefined, 1, null]],
  ["keep", turnSchema, { text: "" }, [0, 1, 2 ** 53 - 1], [-1, 0.5, 2 ** 53, "1", null]],
  ["attachments", turnSchema, { text: "" }, [[], times(16, 65_535)], [times(17, 1), [65_536], [0]]],
  ["text", embedSchema, {}, ["a", "a".repeat(100_000)], ["", undefined, 1]],
  ["tokens", embeddedSchema, { vector: "AAAA" }, [1], [0, 1.5]],
  [
    "vector",
    embeddedSchema,
    { tokens: 1 },
    ["AAAA", "A".repeat(349_528)],
    ["", "A".repeat(349_532), "?", [1]],
  ],
  ["logprobs", turnSchema, { text: "" }, [0, 20], [-1, 21, 0.5, null]],
  ["text", countSchema, {}, ["", "a".repeat(100_000)], [undefined, 1, null]],
  ["keep", countSchema, { text: "" }, [0, 1], [-1, 0.5]],
  ["promptTokens", countedSchema, {}, [1], [0, 1.5]],
  ["sampling", turnSchema, { text: "" }, [{}], [null, { other: 1 }]],
  ["temperature", samplingSchema, {}, [0, 5], [-0.001, 5.001, NaN, Infinity]],
  ["topP", samplingSchema, {}, [0, 1], [-0.001, 1.001]],
  ["topK", samplingSchema, {}, [0, 100_000], [-1, 100_001, 1.5]],
  ["minP", samplingSchema, {}, [0, 1], [-0.001, 1.001]],
  ["repeatPenalty", samplingSchema, {}, [0.01, 5], [0, 5.001]],
  ["seed", samplingSchema, {}, [0, 2 ** 32 - 2], [-1, 2 ** 32 - 1, 0.5]],
  ["maxTokens", samplingSchema, {}, [1, 1_000_000], [0, 1_000_001]],
  ["stop", samplingSchema, {}, [[], times(16, "a"), ["a".repeat(256)]], [times(17, "a")]],
  ["grammar", samplingSchema, {}, ["a", "a".repeat(65_536)], ["", "a".repeat(65_537), null]],
  ["stop", samplingSchema, {}, [["."]], [[""], ["a".repeat(257)], ".", [1]]],
  ["model", openedSchema, opened, [""], [undefined, 1]],
  ["contextTokens", openedSchema, opened, [1], [0, 1.5]],
  ["threads", openedSchema, opened, [1], [0, -1]],
  ["idleTimeoutMs", openedSchema, opened, [1], [0]],
  ["bytes", attachedSchema, {}, [0, 1], [-1, 0.5]],
  ["reason", finishSchema, finish, ["stop", "stop-string", "length"], ["aborted", ""]],
  ["reason", finishSchema, finish, ["context-full", "stopped"], [undefined]],
  ["usage", finishSchema, finish, [usage], [{ ...usage, promptTokens: -1 }, {}, undefined]],
  [
    "timings",
    finishSchema,
    finish,
    [{ ...timings, promptMs: 0.5 }],
    [{ ...timings, totalMs: null }],
  ],
  ["timings", finishSchema, finish, [timings], [{ ...timings, firstTokenMs: -1 }]],
  ["code", refusedSchema, { message: "" }, [...taskRefusals], ["ERR_OTHER", undefined]],
  ["message", refusedSchema, { code: "ERR_BUSY" }, ["", "a".repeat(300)], ["a".repeat(301)]],
  ["reason", closingSchema, {}, ["ended", "turn-done", "idle", "hard-limit"], ["other", undefined]],
];

describe.each(cases)("%s", (field, schema, base, good, bad) => {
  test("is taken up to its bounds", () => {
    for (const value of good)
      expect(schema.safeParse({ ...base, [field]: value }).success).toBe(true);
  });

  test("is refused past them", () => {
    for (const value of bad)
      expect(schema.safeParse({ ...base, [field]: value }).success).toBe(false);
  });
});

test.each([
  [openSchema, open],
  [attachHeaderSchema, { name: "a" }],
  [turnSchema, { text: "" }],
  [countSchema, { text: "" }],
  [countedSchema, { promptTokens: 1 }],
  [samplingSchema, {}],
  [openedSchema, opened],
  [attachedSchema, { bytes: 1 }],
  [finishSchema, finish],
  [refusedSchema, { code: "ERR_BUSY", message: "" }],
  [closingSchema, { reason: "idle" }],
])("a field that nobody knows is refused (%#)", (schema: z.ZodType, base) => {
  expect(schema.safeParse(base).success).toBe(true);
  expect(schema.safeParse({ ...base, unknown: 1 }).success).toBe(false);
});
