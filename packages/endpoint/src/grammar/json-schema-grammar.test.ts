/** Grammars are tried on llama.cpp's own reader of them. */
import { describe, expect, test } from "vitest";
import { isInGrammar } from "../../../../tests/grammar-under-test.ts";
import { grammarOf } from "../answer/answer-form.ts";

const none = { tools: [], choice: { mode: "auto" }, isParallel: true } as const;
const parse = (schema: unknown) =>
  grammarOf({ ...none, text: { type: "schema", schema, param: "schema" } })!;

const accepts = (schema: unknown, text: string) => isInGrammar(parse(schema), text);

const person = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", minimum: 0 }, tag: {} },
  required: ["name"],
  additionalProperties: false,
};
const tree = {
  $defs: {
    node: {
      type: "object",
      properties: {
        value: { type: "number" },
        next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] },
      },
      required: ["value", "next"],
    },
  },
  $ref: "#/$defs/node",
};

type Case = readonly [name: string, schema: unknown, good: string[], bad: string[]];

const cases: Case[] = [
  ["anything", {}, ['{"a": [1, "x", null, true]}', "-0.5e10"], ["{a}", "01", ""]],
  ["a string", { type: "string" }, ['""', '"é\\n\\u00e9"'], ['"', '"\n"', '"\\x"', "1"]],
  [
    "a length",
    { type: "string", minLength: 2, maxLength: 3 },
    ['"ab"', '"abc"', '"\\"\\""'],
    ['"a"', '"abcd"'],
  ],
  [
    "an integer",
    { type: "integer" },
    ["0", "-12", "999999999999999"],
    ["1.5", "1234567890123456", "00"],
  ],
  [
    "zod's integer",
    { type: "integer", minimum: -9007199254740991, maximum: 9007199254740991 },
    ["-1"],
    ["x"],
  ],
  ["a small range", { type: "integer", minimum: -1, maximum: 2 }, ["-1", "0", "2"], ["-2", "3"]],
  ["from 1 on", { type: "integer", minimum: 1 }, ["1", "100"], ["0", "-1"]],
  ["a number", { type: "number" }, ["1.25", "-3e-2"], [".5", "NaN"]],
  ["two types", { type: ["string", "null"] }, ['"a"', "null"], ["1"]],
  ["a choice", { enum: ["a", 1, null, 'q"\\'] }, ['"a"', "1", "null", '"q\\"\\\\"'], ["2", "a"]],
  ["a constant", { type: "string", const: "yes\n" }, ['"yes\\n"'], ['"no"']],
  [
    "an object",
    person,
    ['{"name": "x"}', '{"name": "x", "age": 3}', '{"name": "x", "tag": []}'],
    ["{}", '{"age": 3}', '{"name": "x", "other": 1}', '{"name": "x", }'],
  ],
  [
    "nothing required",
    { properties: { a: { type: "null" }, b: { type: "null" } } },
    ["{}", '{"b": null}', '{"a": null, "b": null}'],
    ['{, "b": null}', '{"b": null, "a": null}'],
  ],
  ["an empty object", { type: "object", additionalProperties: false }, ["{}"], ['{"a": 1}']],
  [
    "a map",
    { type: "object", additionalProperties: { type: "boolean" } },
    ["{}", '{"x": true, "y": false}'],
    ['{"x": 1}'],
  ],
  [
    "an array",
    { type: "array", items: { type: "boolean" } },
    ["[]", "[true, false]"],
    ["[1]", "[true,]"],
  ],
  [
    "a size",
    { type: "array", items: { type: "null" }, minItems: 1, maxItems: 2 },
    ["[null]", "[null, null]"],
    ["[]", "[null, null, null]"],
  ],
  ["no items", { type: "array", maxItems: 0 }, ["[]"], ["[1]"]],
  [
    "what names itself",
    tree,
    ['{"value": 1, "next": {"value": 2, "next": null}}'],
    ['{"value": 1}'],
  ],
  ["a date", { type: "string", format: "date" }, ['"2026-11-28"'], ['"2026-13-01"', '"x"']],
  [
    "a uuid",
    { type: "string", format: "uuid" },
    ['"01234567-89ab-cdef-0123-456789abcdef"'],
    ['"0"'],
  ],
];

describe.each(cases)("%s", (_, schema, good, bad) => {
  test.each(good)("%s is an answer", (text) => expect(accepts(schema, text)).toBe(true));
  test.each(bad)("%s is none", (text) => expect(accepts(schema, text)).toBe(false));
});

test.each([
  ["pattern", { type: "string", pattern: "a+" }],
  ["oneOf", { oneOf: [{ type: "string" }] }],
  ["allOf", { allOf: [{}] }],
  ["properties.a.multipleOf", { properties: { a: { type: "number", multipleOf: 2 } } }],
  ["minimum", { type: "number", minimum: 0 }],
  ["minimum", { type: "integer", minimum: 5 }],
  ["maximum", { type: "integer", minimum: 2, maximum: 1 }],
  ["format", { type: "string", format: "email" }],
  ["format", { type: "string", format: "toString" }],
  ["type", { type: "any" }],
  ["type", { type: "constructor" }],
  ["required", { type: "object", properties: { a: {} }, required: ["b"] }],
  ["$ref", { $ref: "#/$defs/none" }],
  ["$ref", { $ref: "https://example.org/schema" }],
  ["$ref", { $ref: "#" }],
  ["enum", { enum: [] }],
  ["enum", { type: "string", enum: [1] }],
  ["items", { type: "array", items: false }],
  ["anyOf.1.not", { anyOf: [{}, { not: {} }] }],
  ["unevaluatedProperties", { type: "object", unevaluatedProperties: false }],
])("%s is refused by its name", (keyword, schema) => {
  expect(() => parse(schema)).toThrow(
    expect.objectContaining({
      status: 400,
      param: `schema.${keyword}`,
      code: "unsupported_schema",
    }),
  );
});

const nested = (depth: number): object =>
  depth === 0 ? { type: "null" } : { type: "array", items: nested(depth - 1) };
const choices = (count: number) => ({ enum: Array.from({ length: count }, (_, at) => at) });

test.each([
  ["depth", nested(64), nested(65)],
  ["length", { type: "string", maxLength: 1_000 }, { type: "string", maxLength: 1_001 }],
  ["items", { type: "array", minItems: 1_000 }, { type: "array", minItems: 1_001 }],
  [
    "numbers",
    { type: "integer", minimum: 5, maximum: 1_004 },
    { type: "integer", minimum: 5, maximum: 1_005 },
  ],
  ["size", choices(6_000), choices(10_000)],
])("a schema's %s has a limit", (_, last, over) => {
  expect(isInGrammar(parse(last), "")).toBe(false);
  expect(() => parse(over)).toThrow(expect.objectContaining({ code: "unsupported_schema" }));
});
