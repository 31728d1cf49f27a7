/**
 * What a program may ask of `/v1/chat/completions`.
 *
 * Source: OpenAI API reference, "Create chat completion".
 *
 * @module
 */
import { z } from "zod";
import { grammarOf, toolInstructions } from "./answer-form.ts";
import { chatMessageSchema, messagesOf } from "./chat-messages.ts";
import { answerFormOf, responseFormatSchema, toolChoiceSchema, toolsSchema } from "./chat-tools.ts";
import type { Asked } from "./generate.ts";
import { completionFields, isStreamed, nameField } from "./openai-fields.ts";
import { admitParameters, type ParameterTable } from "./parameters.ts";
import { samplingOf, samplingSchemas } from "./sampling-parameters.ts";

export const chatParameters: ParameterTable = {
  model: { taken: "name or SHA-256 of one of the node's models", example: "demo" },
  messages: {
    taken:
      "`system`, `developer`, `user`, `assistant`, `tool`, text only; the last is the user's or a call's result. Images, sound, files and `name` are refused",
    example: [{ role: "user", content: "hello" }],
  },
  stream: { taken: "server-sent events", example: false },
  stream_options: {
    taken: "`include_usage`; `include_obfuscation` only `false`: the tunnel hides sizes already",
    example: { include_usage: true },
    beside: { stream: true },
  },
  max_tokens: { taken: "the older name of `max_completion_tokens`", example: 8 },
  max_completion_tokens: { taken: "1 to 1,000,000; without it as far as the context", example: 8 },
  temperature: { taken: "0 to 2; 0 always takes the likeliest token", example: 0.5 },
  top_p: { taken: "0 to 1", example: 0.9 },
  top_k: { taken: "not of OpenAI: 0 to 100,000, 0 for all tokens", example: 40 },
  min_p: { taken: "not of OpenAI: 0 to 1", example: 0.05 },
  repeat_penalty: { taken: "not of OpenAI: 0.01 to 5, 1 for none", example: 1.1 },
  seed: { taken: "0 to 4,294,967,294; answer number i has seed + i", example: 1 },
  stop: { taken: "one string or up to 16, of 1 to 256 characters", example: ["\n"] },
  n: { taken: "1 to 8, one after the other on one worker", example: 2 },
  user: { taken: "keeps conversations apart, as a key does", example: "somebody" },
  safety_identifier: { taken: "the newer name of `user`", example: "somebody" },
  prompt_cache_key: { taken: "keeps conversations apart, as a key does", example: "task 1" },
  frequency_penalty: {
    only: [0],
    why: "the worker has `repeat_penalty` only",
    example: 0.5,
  },
  presence_penalty: { only: [0], why: "the worker has `repeat_penalty` only", example: 0.5 },
  logit_bias: { only: [{}], why: "the worker has none", example: { 50256: -100 } },
  logprobs: { only: [false], why: "the worker tells none", example: true },
  top_logprobs: { refused: "the worker tells none", example: 2 },
  store: { only: [false], why: "nothing is kept", example: true },
  metadata: {
    only: [{}],
    why: "it belongs to stored answers, and nothing is kept",
    example: { a: "b" },
  },
  modalities: { only: [["text"]], why: "the models have no other", example: ["text", "audio"] },
  service_tier: { only: ["auto", "default"], why: "there is one", example: "flex" },
  response_format: {
    taken:
      "`text`, `json_object`, `json_schema`: a grammar that no answer leaves. A keyword that it cannot hold is refused; `strict` or not",
    example: { type: "json_object" },
  },
  tools: {
    taken: "up to 128 functions; their arguments are held to their schema. `custom` is refused",
    example: [{ type: "function", function: { name: "f" } }],
  },
  tool_choice: {
    taken: "`none`, `auto`, `required`, one function, `allowed_tools`",
    example: "none",
  },
  parallel_tool_calls: { taken: "`true`: up to 16 calls in one answer", example: false },
  functions: { refused: "OpenAI's older form of `tools`", example: [] },
  function_call: { refused: "OpenAI's older form of `tool_choice`", example: "auto" },
  audio: { refused: "the models make no sound", example: { voice: "ash", format: "wav" } },
  prediction: { refused: "the worker does no speculative decoding", example: { type: "content" } },
  reasoning_effort: { refused: "a template decides whether its model thinks", example: "low" },
  verbosity: { refused: "the models know no such thing", example: "low" },
  web_search_options: { refused: "a worker reaches no network", example: {} },
  prompt_cache_retention: { refused: "a worker lives as long as its conversation", example: "24h" },
};

const schema = z.strictObject({
  ...completionFields,
  messages: z.array(chatMessageSchema).min(1).max(10_000),
  max_completion_tokens: samplingSchemas.maxTokens,
  response_format: responseFormatSchema.exactOptional(),
  tools: toolsSchema.exactOptional(),
  tool_choice: toolChoiceSchema.exactOptional(),
  parallel_tool_calls: z.boolean().exactOptional(),
  safety_identifier: nameField,
  prompt_cache_key: nameField,
});

export interface ChatRequest extends Asked {
  readonly includesUsage: boolean;
}

/** @throws `ApiError` 400 */
export function parseChatRequest(untrusted: Readonly<Record<string, unknown>>): ChatRequest {
  const body = admitParameters(chatParameters, schema, untrusted);
  const form = answerFormOf(body);
  const maxTokens = body.max_completion_tokens ?? body.max_tokens;
  return {
    model: body.model,
    messages: messagesOf(body.messages, toolInstructions(form.tools)),
    sampling: samplingOf({ ...body, maxTokens, grammar: grammarOf(form) }),
    canCall: form.tools.length > 0,
    choices: body.n ?? 1,
    scope: JSON.stringify([body.user, body.safety_identifier, body.prompt_cache_key]),
    isStreamed: isStreamed(body),
    includesUsage: body.stream_options?.include_usage ?? false,
  };
}
