/**
 * What a program may ask of `/v1/completions`.
 *
 * Source: OpenAI API reference, "Create completion".
 *
 * @module
 */
import { z } from "zod";
import type { Asked } from "../../conversations/generate.ts";
import { ApiError, unsupported } from "../../request/api-error.ts";
import { admitParameters, type ParameterTable } from "../../request/parameters.ts";
import { samplingOf } from "../../request/sampling-parameters.ts";
import { topField } from "../logprobs.ts";
import { completionFields, completionRows, isStreamed, scopeOf } from "../openai-parameters.ts";

export const completionsParameters: ParameterTable = {
  prompt: {
    taken:
      "one text that the model continues as it is, without a template; names of control tokens in it are text. Several texts and lists of tokens are refused",
    example: ["Once"],
  },
  ...completionRows,
  max_tokens: { taken: "1 to 1,000,000; 16 where it is left out", example: 8 },
  echo: { taken: "the prompt stands before each answer", example: true },
  best_of: { only: [1], why: "no answer is thrown away", example: 2 },
  logprobs: {
    taken:
      "0 to 20, OpenAI's own ends at 5: how likely the model itself found each token, and so many of the likeliest beside it. With `echo` refused: nothing is told of the prompt",
    example: 1,
  },
  suffix: { refused: "how a model takes one is in no template", example: "end" },
};

/** As OpenAI's interface has it. */
const DEFAULT_MAX_TOKENS = 16;

const schema = z.strictObject({
  ...completionFields,
  prompt: z.union([z.string(), z.tuple([z.string()])]),
  echo: z.boolean().exactOptional(),
  logprobs: topField,
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
  if (body.echo && body.logprobs !== undefined)
    throw unsupported("logprobs", "with 'echo': nothing is told of the prompt");
  return {
    model: body.model,
    template: "none",
    messages: [{ role: "user", text }],
    sampling: samplingOf({ ...body, maxTokens: body.max_tokens ?? DEFAULT_MAX_TOKENS }),
    logprobs: body.logprobs,
    choices: body.n ?? 1,
    scope: scopeOf(body),
    canCall: false,
    isStreamed: isStreamed(body),
    includesUsage: body.stream_options?.include_usage ?? false,
    echoed: body.echo === true ? text : "",
  };
}
