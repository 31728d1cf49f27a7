/**
 * What OpenAI's interfaces have in common in their requests.
 *
 * @module
 */
import { z } from "zod";
import { ApiError } from "./api-error.ts";
import { samplingSchemas } from "./sampling-parameters.ts";

/** One after the other on one worker: more would only keep it. */
const MAX_CHOICES = 8;
/** A name that tells people apart, not a text. */
const MAX_NAME_CHARS = 512;

export const nameField = z.string().max(MAX_NAME_CHARS).exactOptional();
export const modelField = z.string().max(255);

const obfuscation = { include_obfuscation: z.literal(false).exactOptional() };

export const streamFields = {
  stream: z.boolean().exactOptional(),
  stream_options: z.strictObject(obfuscation).exactOptional(),
};

/** Of `/v1/chat/completions` and `/v1/completions`. */
export const completionFields = {
  model: modelField,
  stream: streamFields.stream,
  stream_options: z
    .strictObject({ ...obfuscation, include_usage: z.boolean().exactOptional() })
    .exactOptional(),
  max_tokens: samplingSchemas.maxTokens,
  temperature: samplingSchemas.temperature,
  top_p: samplingSchemas.topP,
  top_k: samplingSchemas.topK,
  min_p: samplingSchemas.minP,
  repeat_penalty: samplingSchemas.repeatPenalty,
  seed: samplingSchemas.seed,
  stop: samplingSchemas.stop,
  n: z.int().min(1).max(MAX_CHOICES).exactOptional(),
  user: nameField,
};

/** @returns whether the answer is a stream. @throws {@link ApiError} 400 where only its options are there */
export function isStreamed(body: {
  readonly stream?: boolean;
  readonly stream_options?: object;
}): boolean {
  const { stream = false, stream_options: options } = body;
  if (stream || options === undefined) return stream;
  throw new ApiError(400, "'stream_options' is for streams only.", { param: "stream_options" });
}
