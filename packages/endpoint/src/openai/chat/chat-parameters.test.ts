import { describe, expect, test } from "vitest";
import { describeTable } from "../../request/test-tables.ts";
import { chatParameters, parseChatRequest } from "./chat-parameters.ts";

const messages = [{ role: "user", content: "hello" }];
const least = { model: "demo", messages };
const parse = (more: object) => parseChatRequest({ ...least, ...more });

describe("every parameter of the table", () => describeTable(chatParameters, parse));

const fn = (name: string) => ({ type: "function", function: { name } });
const fns = (count: number) => Array.from({ length: count }, (_, at) => fn(`f${at}`));

test.each([
  ["what a model's own name is like", { thinking: true }, "thinking"],
  ["a key of the language", JSON.parse('{"__proto__": {}}') as object, "__proto__"],
  [
    "a name inside",
    { stream: true, stream_options: { include_all: true } },
    "stream_options.include_all",
  ],
  ["a message's name", { messages: [{ ...messages[0], name: "x" }] }, "messages[0].name"],
  [
    "an image",
    { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
    "messages[0].content[0].type",
  ],
  ["a role that is none", { messages: [{ role: "function", content: "x" }] }, "messages[0].role"],
  [
    "an answer as the last word",
    { messages: [...messages, { role: "assistant", content: "x" }] },
    "messages",
  ],
  ["a form that is none", { response_format: { type: "grammar" } }, "response_format.type"],
  [
    "a tool that is no function",
    { tools: [{ type: "custom", custom: { name: "x" } }] },
    "tools[0].type",
  ],
  ["a function's name twice", { tools: [fn("a"), fn("a")] }, "tools[1]"],
  ["a choice without functions", { tool_choice: "required" }, "tool_choice"],
  ["a number of likeliest tokens without asking for any", { top_logprobs: 1 }, "top_logprobs"],
  [
    "options of a stream that is none",
    { stream_options: { include_usage: true } },
    "stream_options",
  ],
])("%s is refused by its name", (_, more, param) => {
  expect(() => parse(more)).toThrow(expect.objectContaining({ status: 400, param }));
});

test.each([
  ["n", 8, 9],
  ["n", 1, 0],
  ["temperature", 2, 2.01],
  ["top_p", 1, 1.01],
  ["max_tokens", 1_000_000, 1_000_001],
  ["max_completion_tokens", 1, 0],
  ["seed", 4_294_967_294, 4_294_967_295],
  ["stop", "x".repeat(256), "x".repeat(257)],
  ["stop", Array.from({ length: 16 }, () => "x"), Array.from({ length: 17 }, () => "x")],
  ["user", "x".repeat(512), "x".repeat(513)],
  ["tools", fns(128), fns(129)],
  ["model", "x".repeat(255), "x".repeat(256)],
  ["top_logprobs", 20, 21],
])("%s has a limit", (param, last, over) => {
  const beside = param === "top_logprobs" ? { logprobs: true } : {};
  parse({ ...beside, [param]: last });
  expect(() => parse({ ...beside, [param]: over })).toThrow(
    expect.objectContaining({ status: 400, param }),
  );
});

test("what is missing is named", () => {
  expect(() => parseChatRequest({ messages })).toThrow("Missing required parameter: 'model'.");
});

test("no message of an error quotes a value", () => {
  const secret = "my secret words";
  for (const more of [
    { messages: secret },
    { messages: [{ role: secret, content: secret }] },
    { messages: [{ role: "user", content: [{ type: secret, text: secret }] }] },
    { n: secret },
    { stop: [secret, 1] },
    { response_format: { type: secret } },
    { tool_choice: secret },
  ])
    expect(() => parse(more)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
});

test("the parts of a text are lines, and a developer's message is a system message", () => {
  const content = [
    { type: "text", text: "a" },
    { type: "text", text: "b" },
  ];
  const request = parse({
    messages: [
      { role: "developer", content: "rules" },
      { role: "user", content },
    ],
  });
  expect(request.messages).toEqual([
    { role: "system", text: "rules" },
    { role: "user", text: "a\nb" },
  ]);
});

test("an answer that a client sends back is taken with everything that is empty in it", () => {
  const answer = {
    role: "assistant",
    content: "x",
    refusal: null,
    parsed: { a: 1 },
    annotations: [],
    tool_calls: [],
  };
  const request = parse({ messages: [...messages, answer, ...messages] });
  expect(request.messages).toHaveLength(3);
});

test("who is named otherwise has another scope", () => {
  const scopes = [
    {},
    { user: "a" },
    { user: "b" },
    { safety_identifier: "a" },
    { prompt_cache_key: "a" },
  ];
  expect(new Set(scopes.map((more) => parse(more).scope)).size).toBe(scopes.length);
});
