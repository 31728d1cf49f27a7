import { describe, expect, test } from "vitest";
import { isInGrammar } from "../../../../tests/grammar-under-test.ts";
import { grammarOf, toolInstructions, type AnswerForm } from "./answer-form.ts";
import { AnswerReader, answerText, readAnswer, type ToolCall } from "./tool-calls.ts";

const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [
  { name: "weather", description: "of a city", parameters, param: "tools[0]" },
  { name: "clock", param: "tools[1]" },
];
const form: AnswerForm = {
  tools,
  choice: { mode: "auto" },
  isParallel: true,
  text: { type: "text" },
};

function accepts(more: Partial<AnswerForm>, text: string): boolean {
  return isInGrammar(grammarOf({ ...form, ...more })!, text);
}

const call = (name: string, given: string) =>
  `<tool_call>\n{"name": "${name}", "arguments": ${given}}\n</tool_call>`;
const bern = call("weather", '{"city": "Bern"}');
const clock = call("clock", "{}");

test("without functions and schema any text is an answer", () => {
  expect(grammarOf({ ...form, tools: [] })).toBeUndefined();
});

describe("a model that may call", () => {
  test.each([
    ["text", "It is warm."],
    ["nothing", ""],
    ["text like a call's beginning", "a <tool_cal> <<tool_call <to> <tool_call"],
    ["one call", bern],
    ["two calls", `${bern}\n${clock}`],
    ["text and then a call", `Let me see.\n${bern}`],
    ["text that ends like a call begins, and a call", `<tool_${bern}`],
  ])("says %s", (_, text) => expect(accepts({}, text)).toBe(true));

  test.each([
    ["a call of what there is not", call("calendar", "{}")],
    ["arguments of another schema", call("weather", '{"town": "Bern"}')],
    ["a call that is no JSON", "<tool_call>\nweather\n</tool_call>"],
    ["text after a call", `${bern} and so on`],
    ["a call that is not finished", bern.slice(0, -1)],
  ])("never says %s", (_, text) => expect(accepts({}, text)).toBe(false));

  test("calls once where it may not call twice", () => {
    expect(accepts({ isParallel: false }, bern)).toBe(true);
    expect(accepts({ isParallel: false }, `${bern}\n${clock}`)).toBe(false);
  });

  test("calls at most 16 times", () => {
    const calls = (count: number) => Array.from({ length: count }, () => clock).join("\n");
    expect(accepts({}, calls(16))).toBe(true);
    expect(accepts({}, calls(17))).toBe(false);
  });
});

test("a model that has to call says nothing else", () => {
  const choice = { mode: "required" } as const;
  expect(accepts({ choice }, bern)).toBe(true);
  expect(accepts({ choice }, "text")).toBe(false);
  expect(accepts({ choice }, "")).toBe(false);
  const named = { mode: "required", names: ["clock"] } as const;
  expect(accepts({ choice: named }, clock)).toBe(true);
  expect(accepts({ choice: named }, bern)).toBe(false);
});

test("a model that may not call does not", () => {
  const choice = { mode: "none" } as const;
  expect(accepts({ choice }, "text")).toBe(true);
  expect(accepts({ choice }, bern)).toBe(false);
});

test("JSON of a schema, or a call", () => {
  const text = { type: "schema", schema: { type: "null" }, param: "schema" } as const;
  expect(accepts({ text }, "null")).toBe(true);
  expect(accepts({ text }, bern)).toBe(true);
  expect(accepts({ text }, "text")).toBe(false);
});

test("the model is told each function, and that is all in one line each", () => {
  const lines = toolInstructions([{ ...tools[0]!, description: "a\nb" }])!.split("\n");
  expect(JSON.parse(lines[2]!)).toEqual({ name: "weather", description: "a\nb", parameters });
});

describe("an answer in pieces", () => {
  const whole = `Let me <see>.\n${bern}\n${clock}`;
  const pieces = (size: number) => whole.match(new RegExp(`.{1,${size}}`, "gs"))!;

  test.each([1, 2, 3, 7, 1000])("of %i characters is read the same", (size) => {
    const reader = new AnswerReader();
    const parts = [...pieces(size).flatMap((piece) => reader.read(piece)), ...reader.end()];
    const text = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
    expect(text).toBe("Let me <see>.\n");
    expect(parts.flatMap((part) => (part.type === "call" ? [part.call] : []))).toEqual([
      { name: "weather", arguments: '{"city": "Bern"}' },
      { name: "clock", arguments: "{}" },
    ]);
  });

  test("that is cut in a call has as much of it as came", () => {
    expect(readAnswer(bern.slice(0, -17)).calls).toEqual([
      { name: "weather", arguments: '{"city": "Ber' },
    ]);
    expect(readAnswer("a <tool_c")).toEqual({ text: "a <tool_c", calls: [] });
  });

  test("is the same text again, however its arguments are spaced", () => {
    const { text, calls } = readAnswer(whole);
    const spaced: ToolCall[] = calls.map((one) => ({ ...one, arguments: ` ${one.arguments} ` }));
    expect(answerText(text, spaced)).toBe(answerText(text, calls));
    expect(readAnswer(answerText(text, calls)).calls[0]!.arguments).toBe('{"city":"Bern"}');
  });
});
