/**
 * What a program may ask of `/v1/chat/completions`.
 *
 * Source: OpenAI API reference, "Create chat completion".
 *
 * @module
 */
import { z } from "zod";
import { grammarOf, toolInstructions } from "../../answer/answer-form.ts";
import type { Asked } from "../../conversations/generate.ts";
import { ApiError } from "../../request/api-error.ts";
import { admitParameters, type ParameterTable } from "../../request/parameters.ts";
import { samplingOf, samplingSchemas } from "../../request/sampling-parameters.ts";
import { topField } from "../logprobs.ts";
import {
  completionFields,
  completionRows,
  conversationFields,
  conversationRows,
  isStreamed,
  scopeOf,
} from "../openai-parameters.ts";
import { chatMessageSchema, messagesOf } from "./chat-messages.ts";
import { answerFormOf, responseFormatSchema, toolChoiceSchema, toolsSchema } from "./chat-tools.ts";

export const chatParameters: ParameterTable = {
  messages: {
    taken:
      "`system`, `developer`, `user`, `assistant`, `tool`, text only; the last is the user's or a call's result. Images, sound, files and `name` are refused",
    example: [{ role: "user", content: "hello" }],
  },
  ...completionRows,
  max_tokens: { taken: "the older name of `max_completion_tokens`", example: 8 },
  max_completion_tokens: { taken: "1 to 1,000,000; without it as far as the context", example: 8 },
  logprobs: {
    taken:
      "`true`: how likely the model itself found each token of the text, before temperature, cuts, penalties and grammar. Tokens of calls are not told",
    example: true,
  },
  top_logprobs: {
    taken: "0 to 20 with `logprobs`: so many of the likeliest at each place",
    example: 2,
    beside: { logprobs: true },
  },
  response_format: {
    taken:
      "`text`, `json_object`, `json_schema`: a grammar that no answer leaves. A keyword that it cannot hold is refused; `strict` or not",
    example: { type: "json_object" },
  },
  tools: {
    taken: "up to 128 functions; their arguments are held to their schema. `custom` is refused",
    example: [{ type: "function", function: { name: "f" } }],
  },
  ...conversationRows,
  modalities: { only: [["text"]], why: "the models have no other", example: ["text", "audio"] },
  functions: { refused: "OpenAI's older form of `tools`", example: [] },
  function_call: { refused: "OpenAI's older form of `tool_choice`", example: "auto" },
  audio: { refused: "the models make no sound", example: { voice: "ash", format: "wav" } },
  prediction: { refused: "the worker does no speculative decoding", example: { type: "content" } },
  reasoning_effort: { refused: "a template decides whether its model thinks", example: "low" },
  verbosity: { refused: "the models know no such thing", example: "low" },
  web_search_options: { refused: "a worker reaches no network", example: {} },
};

const schema = z.strictObject({
  ...completionFields,
  ...conversationFields,
  messages: z.array(chatMessageSchema).min(1).max(10_000),
  max_completion_tokens: samplingSchemas.maxTokens,
  logprobs: z.boolean().exactOptional(),
  top_logprobs: topField,
  response_format: responseFormatSchema.exactOptional(),
  tools: toolsSchema.exactOptional(),
  tool_choice: toolChoiceSchema.exactOptional(),
});

export interface ChatRequest extends Asked {
  readonly includesUsage: boolean;
}

/** @throws {@link ApiError} 400 */
export function parseChatRequest(untrusted: Readonly<Record<string, unknown>>): ChatRequest {
  const body = admitParameters(chatParameters, schema, untrusted);
  const form = answerFormOf(body);
  const maxTokens = body.max_completion_tokens ?? body.max_tokens;
  return {
    model: body.model,
    messages: messagesOf(body.messages, toolInstructions(form.tools)),
    sampling: samplingOf({ ...body, maxTokens, grammar: grammarOf(form) }),
    canCall: form.tools.length > 0,
    logprobs: topOf(body),
    choices: body.n ?? 1,
    scope: scopeOf(body),
    isStreamed: isStreamed(body),
    includesUsage: body.stream_options?.include_usage ?? false,
  };
}

function topOf(body: {
  readonly logprobs?: boolean;
  readonly top_logprobs?: number;
}): number | undefined {
  if (body.logprobs) return body.top_logprobs ?? 0;
  if (body.top_logprobs === undefined) return undefined;
  throw new ApiError(400, "'top_logprobs' is taken with 'logprobs' only.", {
    param: "top_logprobs",
  });
}
