/**
 * What a program may ask of `/v1/completions`.
 *
 * Source: OpenAI API reference, "Create completion".
 *
 * @module
 */
import { z } from "zod";
import { ApiError } from "./api-error.ts";
import type { Asked } from "./generate.ts";
import { completionFields, isStreamed } from "./openai-fields.ts";
import { admitParameters, type ParameterTable } from "./parameters.ts";
import { samplingOf } from "./sampling-parameters.ts";

export const completionsParameters: ParameterTable = {
  model: { taken: "name or SHA-256 of one of the node's models", example: "demo" },
  prompt: {
    taken:
      "one text that the model continues as it is, without a template; names of control tokens in it are text. Several texts and lists of tokens are refused",
    example: ["Once"],
  },
  max_tokens: { taken: "1 to 1,000,000; 16 where it is left out", example: 8 },
  stream: { taken: "server-sent events", example: false },
  stream_options: {
    taken: "`include_usage`; `include_obfuscation` only `false`: the tunnel hides sizes already",
    example: { include_usage: true },
    beside: { stream: true },
  },
  temperature: { taken: "0 to 2; 0 always takes the likeliest token", example: 0.5 },
  top_p: { taken: "0 to 1", example: 0.9 },
  top_k: { taken: "not of OpenAI: 0 to 100,000, 0 for all tokens", example: 40 },
  min_p: { taken: "not of OpenAI: 0 to 1", example: 0.05 },
  repeat_penalty: { taken: "not of OpenAI: 0.01 to 5, 1 for none", example: 1.1 },
  seed: { taken: "0 to 4,294,967,294; answer number i has seed + i", example: 1 },
  stop: { taken: "one string or up to 16, of 1 to 256 characters", example: "\n" },
  n: { taken: "1 to 8, one after the other on one worker", example: 2 },
  echo: { taken: "the prompt stands before each answer", example: true },
  user: { taken: "keeps prompts apart, as a key does", example: "somebody" },
  best_of: { only: [1], why: "no answer is thrown away", example: 2 },
  frequency_penalty: { only: [0], why: "the worker has `repeat_penalty` only", example: 0.5 },
  presence_penalty: { only: [0], why: "the worker has `repeat_penalty` only", example: 0.5 },
  logit_bias: { only: [{}], why: "the worker has none", example: { 50256: -100 } },
  logprobs: { refused: "the worker tells none", example: 1 },
  suffix: { refused: "how a model takes one is in no template", example: "end" },
};

/** As OpenAI's interface has it. */
const DEFAULT_MAX_TOKENS = 16;

const schema = z.strictObject({
  ...completionFields,
  prompt: z.union([z.string(), z.tuple([z.string()])]),
  echo: z.boolean().exactOptional(),
});

export interface CompletionsRequest extends Asked {
  readonly includesUsage: boolean;
  /** What stands before each answer. */
  readonly echoed: string;
}

/** @throws {@link ApiError} 400 */
export function parseCompletionsRequest(
  untrusted: Readonly<Record<string, unknown>>,
): CompletionsRequest {
  const body = admitParameters(completionsParameters, schema, untrusted);
  const [text = ""] = [body.prompt].flat();
  if (text === "") throw new ApiError(400, "'prompt' is empty.", { param: "prompt" });
  return {
    model: body.model,
    template: "none",
    messages: [{ role: "user", text }],
    sampling: samplingOf({ ...body, maxTokens: body.max_tokens ?? DEFAULT_MAX_TOKENS }),
    choices: body.n ?? 1,
    scope: JSON.stringify([body.user]),
    canCall: false,
    isStreamed: isStreamed(body),
    includesUsage: body.stream_options?.include_usage ?? false,
    echoed: body.echo === true ? text : "",
  };
}
