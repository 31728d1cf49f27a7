import { describe, expect, test } from "vitest";
import { describeTable } from "../request/test-tables.ts";
import { messagesParameters, parseMessagesRequest } from "./messages-parameters.ts";

const messages = [{ role: "user", content: "hello" }];
const least = { model: "demo", messages, max_tokens: 1 };
const parse = (more: object) => parseMessagesRequest({ ...least, ...more });
const tool = (name: string) => ({ name, input_schema: { type: "object" } });
const tools = (count: number) => Array.from({ length: count }, (_, at) => tool(`f${at}`));
const block = (more: object) => ({ messages: [{ role: "user", content: [more] }] });

describe("every parameter of the table", () => describeTable(messagesParameters, parse));

test.each([
  ["a name that nobody knows", { seed: 1 }, "seed"],
  ["an image", block({ type: "image", source: {} }), "messages[0].content[0].type"],
  ["an effort", { output_config: { effort: "high" } }, "output_config.effort"],
  ["a tool of Anthropic's", { tools: [{ type: "bash_20250124", name: "bash" }] }, "tools[0].type"],
  ["a function's name twice", { tools: [tool("a"), tool("a")] }, "tools[1]"],
  ["a choice without functions", { tool_choice: { type: "any" } }, "tool_choice"],
  [
    "a choice of what there is not",
    { tools: [tool("a")], tool_choice: { type: "tool", name: "b" } },
    "tool_choice",
  ],
  ["a result of no call", block({ type: "tool_result", tool_use_id: "x" }), "messages[0].content"],
  [
    "a beginning of the answer",
    { messages: [...messages, { role: "assistant", content: "{" }] },
    "messages",
  ],
  ["an answer without a limit", { max_tokens: undefined }, "max_tokens"],
])("%s is refused by its name", (_, more, param) => {
  expect(() => parse(more)).toThrow(
    expect.objectContaining({ status: 400, param, message: expect.stringContaining("'") }),
  );
});

test.each([
  ["max_tokens", 1_000_000, 1_000_001],
  ["temperature", 1, 1.01],
  ["stop_sequences", Array.from({ length: 16 }, () => "x"), Array.from({ length: 17 }, () => "x")],
  ["tools", tools(128), tools(129)],
])("%s has a limit", (param, last, over) => {
  parse({ [param]: last });
  expect(() => parse({ [param]: over })).toThrow(expect.objectContaining({ status: 400, param }));
});

test("a call and its result are texts, in their order", () => {
  const request = parse({
    system: [{ type: "text", text: "rules", cache_control: { type: "ephemeral" } }],
    messages: [
      ...messages,
      {
        role: "assistant",
        content: [
          { type: "text", text: "see:" },
          { type: "tool_use", id: "1", name: "f", input: { a: 1 } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "1", content: "broken", is_error: true },
          { type: "text", text: "go on" },
        ],
      },
    ],
  });
  expect(request.messages).toEqual([
    { role: "system", text: "rules" },
    { role: "user", text: "hello" },
    {
      role: "assistant",
      text: 'see:<tool_call>\n{"name": "f", "arguments": {"a":1}}\n</tool_call>',
    },
    {
      role: "user",
      text: '<tool_response>\n{"name":"f","content":"error: broken"}\n</tool_response>\n\ngo on',
    },
  ]);
});
