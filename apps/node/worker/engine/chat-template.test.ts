import { afterAll, beforeAll, expect, test } from "vitest";

import { ChatTemplate } from "./chat-template.ts";
import type { ChatMessage } from "./chat-template.ts";
import { loadModel } from "./loaded-model.ts";
import type { LoadedModel } from "./loaded-model.ts";
import { testModel } from "./test-model.ts";

let loaded: LoadedModel;
beforeAll(async () => {
  const modelPath = await testModel("tiny");
  loaded = await loadModel({ modelPath, contextTokens: 256, threads: 1, cores: 1 });
});
afterAll(async () => {
  await loaded.context.dispose();
  await loaded.model.dispose();
});

const EACH = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}[end]{% endfor %}";

test("messages are cut out of what the template says", () => {
  const template = choose(`${EACH}{% if add_generation_prompt %}[assistant]{% endif %}`);
  expect(template.prompt([say("user", "[end]")])).toEqual([
    { kind: "template", text: "[user]" },
    { kind: "content", role: "user", text: "[end]" },
    { kind: "template", text: "[end][assistant]" },
  ]);
});

test("the end of a turn is what follows an answer", () => {
  expect(choose(EACH).turnEnd()).toBe("[end][user]");
});

test.each([
  [
    "refuses a system message",
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}",
  ],
  ["drops a system message", "{% for m in messages if m['role'] != 'system' %}"],
])("a template that %s gets it inside the user's", (_, loop) => {
  const template = choose(`${loop}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}`);
  expect(text(template, [say("system", "Be kind."), say("user", "Hi")])).toBe(
    "[user]Be kind.\n\nHi",
  );
});

test("two messages of one side are one message", () => {
  expect(text(choose(EACH), [say("user", "a"), say("user", "b")])).toBe("[user]a\n\nb[end]");
});

test("a template with thoughts does not get those of earlier answers", () => {
  const template = choose(`${EACH}{# </think> #}`);
  const history = [
    say("user", "</think>a"),
    say("assistant", "<think>hm</think>\n\nb"),
    say("user", "c"),
  ];
  expect(text(template, history)).toBe("[user]</think>a[end][assistant]b[end][user]c[end]");
});

test.each([
  ["no template", undefined],
  ["an empty template", " "],
  ["a template that does not parse", "{% for %}"],
  ["a template that always throws", "{{ raise_exception('no') }}"],
  ["a template that shows no message", "hello"],
])("with %s, the one that the vocabulary knows is used", (_, source) => {
  expect(text(choose(source), [say("user", "Hi")])).toBe(
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
  );
});

test("an order of messages that the template refuses is an error", () => {
  const template = choose(
    `${EACH}{% if messages | length > 3 %}{{ raise_exception('no') }}{% endif %}`,
  );
  const turn = [say("user", "a"), say("assistant", "b")];
  expect(() => template.prompt([...turn, ...turn, say("user", "c")])).toThrow(
    expect.objectContaining({ code: "ERR_CONVERSATION" }),
  );
});

function choose(source: string | undefined): ChatTemplate {
  return ChatTemplate.choose(loaded.addon, source, loaded.tokenizer);
}

function say(role: ChatMessage["role"], text: string): ChatMessage {
  return { role, text };
}

function text(template: ChatTemplate, history: readonly ChatMessage[]): string {
  return template
    .prompt(history)
    .map((part) => part.text)
    .join("");
}
