import { describe, expect, test } from "vitest";
import { describeTable } from "../../request/test-tables.ts";
import { parseResponsesRequest, responsesParameters } from "./responses-parameters.ts";

const least = { model: "demo", input: "hello" };
const parse = (more: object) => parseResponsesRequest({ ...least, ...more });
const fns = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ type: "function", name: `f${at}` }));
const item = (more: object) => ({ input: [{ role: "user", content: "x", ...more }] });

describe("every parameter of the table", () => describeTable(responsesParameters, parse));

test.each([
  ["a name that nobody knows", { seed: 1 }, "seed"],
  ["a name in a message", item({ name: "x" }), "input[0].name"],
  ["a verbosity", { text: { verbosity: "low" } }, "text.verbosity"],
  ["a tool of OpenAI's", { tools: [{ type: "web_search" }] }, "tools[0].type"],
  ["a choice without functions", { tool_choice: "required" }, "tool_choice"],
  [
    "a result of no call",
    { input: [{ type: "function_call_output", call_id: "x", output: "y" }] },
    "input[0].call_id",
  ],
  ["an answer as the last word", { input: [{ role: "assistant", content: "x" }] }, "input"],
  ["options of a stream that is none", { stream_options: {} }, "stream_options"],
])("%s is refused by its name", (_, more, param) => {
  expect(() => parse(more)).toThrow(expect.objectContaining({ status: 400, param }));
});

test("an image, a reference and reasoning are refused where they stand", () => {
  for (const input of [
    [{ role: "user", content: [{ type: "input_image", image_url: "x" }] }],
    [{ type: "item_reference", id: "x" }],
    [{ type: "reasoning", id: "x", summary: [] }],
  ])
    expect(() => parse({ input })).toThrow(
      expect.objectContaining({ status: 400, param: expect.stringMatching(/^input\[0\]/) }),
    );
});

test.each([
  ["tools", fns(128), fns(129)],
  ["max_output_tokens", 1_000_000, 1_000_001],
  ["user", "x".repeat(512), "x".repeat(513)],
])("%s has a limit", (param, last, over) => {
  parse({ [param]: last });
  expect(() => parse({ [param]: over })).toThrow(expect.objectContaining({ status: 400, param }));
});

test("items become messages: what the model said and called in one answer is one", () => {
  const request = parse({
    instructions: "rules",
    input: [
      { role: "user", content: "one" },
      {
        type: "message",
        role: "assistant",
        id: "m",
        status: "completed",
        content: [{ type: "output_text", text: "see:", annotations: [] }],
      },
      { type: "function_call", call_id: "1", name: "f", arguments: "{}" },
      { type: "function_call", call_id: "2", name: "g", arguments: '{"a": 1}' },
      { type: "function_call_output", call_id: "2", output: "warm" },
    ],
  });
  expect(request.messages).toEqual([
    { role: "system", text: "rules" },
    { role: "user", text: "one" },
    {
      role: "assistant",
      text: 'see:<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>\n<tool_call>\n{"name": "g", "arguments": {"a":1}}\n</tool_call>',
    },
    { role: "user", text: '<tool_response>\n{"name":"g","content":"warm"}\n</tool_response>' },
  ]);
});
