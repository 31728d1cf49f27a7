/**
 * What OpenAI's interfaces have in common in their requests: rows of their tables, and what reads them.
 *
 * @module
 */
import { z } from "zod";
import { ApiError } from "../request/api-error.ts";
import type { ParameterTable } from "../request/parameters.ts";
import { modelField, modelRow, nameField } from "../request/request-fields.ts";
import { samplingSchemas } from "../request/sampling-parameters.ts";

const keepsApart = "keeps conversations apart, as a key does";

/** Of every interface that answers with text. */
export const answerRows = {
  model: modelRow,
  stream: { taken: "server-sent events", example: false },
  temperature: { taken: "0 to 2; 0 always takes the likeliest token", example: 0.5 },
  top_p: { taken: "0 to 1", example: 0.9 },
  user: { taken: keepsApart, example: "somebody" },
} satisfies ParameterTable;

/** Of `/v1/chat/completions` and `/v1/completions`. */
export const completionRows = {
  ...answerRows,
  stream_options: {
    taken: "`include_usage`; `include_obfuscation` only `false`: the tunnel hides sizes already",
    example: { include_usage: true },
    beside: { stream: true },
  },
  top_k: { taken: "not of OpenAI: 0 to 100,000, 0 for all tokens", example: 40 },
  min_p: { taken: "not of OpenAI: 0 to 1", example: 0.05 },
  repeat_penalty: { taken: "not of OpenAI: 0.01 to 5, 1 for none", example: 1.1 },
  seed: { taken: "0 to 4,294,967,294; answer number i has seed + i", example: 1 },
  stop: { taken: "one string or up to 16, of 1 to 256 characters", example: ["\n"] },
  n: { taken: "1 to 8, one after the other on one worker", example: 2 },
  frequency_penalty: { only: [0], why: "the worker has `repeat_penalty` only", example: 0.5 },
  presence_penalty: { only: [0], why: "the worker has `repeat_penalty` only", example: 0.5 },
  logit_bias: { only: [{}], why: "the worker has none", example: { 50256: -100 } },
} satisfies ParameterTable;

/** Of `/v1/chat/completions` and `/v1/responses`. */
export const conversationRows = {
  tool_choice: {
    taken: "`none`, `auto`, `required`, one function, `allowed_tools`",
    example: "none",
  },
  parallel_tool_calls: { taken: "`true`: up to 16 calls in one answer", example: false },
  safety_identifier: { taken: "the newer name of `user`", example: "somebody" },
  prompt_cache_key: { taken: keepsApart, example: "task 1" },
  store: { only: [false], why: "nothing is kept, also where it is left out", example: true },
  metadata: {
    only: [{}],
    why: "it belongs to stored answers, and nothing is kept",
    example: { a: "b" },
  },
  service_tier: { only: ["auto", "default"], why: "there is one", example: "flex" },
  moderation: { refused: "nobody reads along", example: {} },
  prompt_cache_retention: { refused: "a worker lives as long as its conversation", example: "24h" },
  prompt_cache_options: { refused: "a worker lives as long as its conversation", example: {} },
} satisfies ParameterTable;

/** One after the other on one worker: more would only keep it. */
const MAX_CHOICES = 8;

const obfuscation = { include_obfuscation: z.literal(false).exactOptional() };

export const answerFields = {
  model: modelField,
  stream: z.boolean().exactOptional(),
  stream_options: z.strictObject(obfuscation).exactOptional(),
  temperature: samplingSchemas.temperature,
  top_p: samplingSchemas.topP,
  user: nameField,
};

export const completionFields = {
  ...answerFields,
  stream_options: z
    .strictObject({ ...obfuscation, include_usage: z.boolean().exactOptional() })
    .exactOptional(),
  max_tokens: samplingSchemas.maxTokens,
  top_k: samplingSchemas.topK,
  min_p: samplingSchemas.minP,
  repeat_penalty: samplingSchemas.repeatPenalty,
  seed: samplingSchemas.seed,
  stop: samplingSchemas.stop,
  n: z.int().min(1).max(MAX_CHOICES).exactOptional(),
};

export const conversationFields = {
  parallel_tool_calls: z.boolean().exactOptional(),
  safety_identifier: nameField,
  prompt_cache_key: nameField,
};

/** Whose conversation it is, besides the key's. */
export function scopeOf(body: {
  readonly user?: string;
  readonly safety_identifier?: string;
  readonly prompt_cache_key?: string;
}): string {
  return JSON.stringify([body.user, body.safety_identifier, body.prompt_cache_key]);
}

/** @returns whether the answer is a stream. @throws {@link ApiError} 400 where only its options are there */
export function isStreamed(body: {
  readonly stream?: boolean;
  readonly stream_options?: object;
}): boolean {
  const { stream = false, stream_options: options } = body;
  if (stream || options === undefined) return stream;
  throw new ApiError(400, "'stream_options' is for streams only.", { param: "stream_options" });
}
