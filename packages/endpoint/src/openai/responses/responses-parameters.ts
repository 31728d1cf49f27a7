/**
 * What a program may ask of `/v1/responses`.
 *
 * Source: OpenAI API reference, "Create a model response".
 *
 * @module
 */
import { z } from "zod";
import {
  choiceAmong,
  grammarOf,
  toolInstructions,
  withoutTwins,
  type AnswerForm,
  type TextForm,
  type ToolChoice,
} from "../../answer/answer-form.ts";
import type { Asked } from "../../conversations/generate.ts";
import { ApiError } from "../../request/api-error.ts";
import { admitParameters, type ParameterTable } from "../../request/parameters.ts";
import { functionName, jsonObject, MAX_TOOLS } from "../../request/request-fields.ts";
import { samplingOf, samplingSchemas } from "../../request/sampling-parameters.ts";
import { topField } from "../logprobs.ts";
import {
  answerFields,
  answerRows,
  conversationFields,
  conversationRows,
  isStreamed,
  scopeOf,
} from "../openai-parameters.ts";
import { inputSchema, messagesOf } from "./responses-input.ts";

export const responsesParameters: ParameterTable = {
  input: {
    taken:
      "a text, or items: messages with text, `function_call`, `function_call_output`; the last is the user's or a result. Images, files, reasoning and references are refused",
    example: [{ role: "user", content: [{ type: "input_text", text: "hello" }] }],
  },
  instructions: { taken: "what the model is told first", example: "rules" },
  ...answerRows,
  stream_options: {
    taken: "`include_obfuscation` only `false`: the tunnel hides sizes already",
    example: { include_obfuscation: false },
    beside: { stream: true },
  },
  max_output_tokens: { taken: "1 to 1,000,000; without it as far as the context", example: 8 },
  text: {
    taken: "`format`: `text`, `json_object`, `json_schema`, as with chat; `verbosity` is refused",
    example: { format: { type: "json_object" } },
  },
  tools: {
    taken:
      "up to 128 functions; their arguments are held to their schema. Tools that OpenAI runs are refused",
    example: [{ type: "function", name: "f", parameters: { type: "object" }, strict: true }],
  },
  ...conversationRows,
  background: { only: [false], why: "nothing is kept", example: true },
  include: {
    taken:
      "`message.output_text.logprobs`: how likely the model itself found each token, as with chat; `reasoning.encrypted_content`, of which there is none. Everything else is refused",
    example: ["message.output_text.logprobs"],
  },
  truncation: {
    only: ["disabled"],
    why: "nothing is dropped from a conversation",
    example: "auto",
  },
  top_logprobs: {
    taken: "0 to 20: so many of the likeliest at each place, where `include` asks for `logprobs`",
    example: 2,
    beside: { include: ["message.output_text.logprobs"] },
  },
  previous_response_id: { refused: "nothing is kept: send the whole input", example: "resp_1" },
  conversation: { refused: "nothing is kept: send the whole input", example: "conv_1" },
  prompt: { refused: "no prompts are stored", example: { id: "x" } },
  reasoning: { refused: "a template decides whether its model thinks", example: { effort: "low" } },
  max_tool_calls: { refused: "it counts tools that OpenAI runs", example: 2 },
  context_management: { refused: "nothing is dropped from a conversation", example: [] },
  background_options: { refused: "nothing is kept", example: {} },
  access_programs: { refused: "there are none", example: {} },
  image: { refused: "the models make no pictures", example: {} },
  multi_agent: { refused: "one model answers", example: { enabled: true } },
};

const LOGPROBS = "message.output_text.logprobs";

const named = z.strictObject({ type: z.literal("function"), name: functionName });

const schema = z.strictObject({
  ...answerFields,
  ...conversationFields,
  input: inputSchema,
  instructions: z.string().exactOptional(),
  max_output_tokens: samplingSchemas.maxTokens,
  include: z
    .array(z.enum([LOGPROBS, "reasoning.encrypted_content"]))
    .max(2)
    .exactOptional(),
  top_logprobs: topField,
  text: z
    .strictObject({
      format: z
        .discriminatedUnion("type", [
          z.strictObject({ type: z.literal("text") }),
          z.strictObject({ type: z.literal("json_object") }),
          z.strictObject({
            type: z.literal("json_schema"),
            name: functionName,
            description: z.string().nullish(),
            schema: jsonObject,
            strict: z.boolean().nullish(),
          }),
        ])
        .exactOptional(),
    })
    .exactOptional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal("function"),
        name: functionName,
        description: z.string().nullish(),
        parameters: jsonObject.nullish(),
        strict: z.boolean().nullish(),
      }),
    )
    .max(MAX_TOOLS)
    .exactOptional(),
  tool_choice: z
    .union([
      z.enum(["none", "auto", "required"]),
      named,
      z.strictObject({
        type: z.literal("allowed_tools"),
        mode: z.enum(["auto", "required"]),
        tools: z.array(named).min(1),
      }),
    ])
    .exactOptional(),
});

type Body = z.infer<typeof schema>;

export interface ResponsesRequest extends Asked {
  /** What an answer says of the request that it is to. */
  readonly echo: object;
}

/** @throws {@link ApiError} 400 */
export function parseResponsesRequest(
  untrusted: Readonly<Record<string, unknown>>,
): ResponsesRequest {
  const body = admitParameters(responsesParameters, schema, untrusted);
  const form = answerFormOf(body);
  return {
    model: body.model,
    messages: messagesOf(body.input, [toolInstructions(form.tools), body.instructions]),
    sampling: samplingOf({ ...body, maxTokens: body.max_output_tokens, grammar: grammarOf(form) }),
    logprobs: topOf(body),
    choices: 1,
    scope: scopeOf(body),
    canCall: form.tools.length > 0,
    isStreamed: isStreamed(body),
    echo: {
      instructions: body.instructions ?? null,
      max_output_tokens: body.max_output_tokens ?? null,
      metadata: {},
      parallel_tool_calls: form.isParallel,
      previous_response_id: null,
      store: false,
      temperature: body.temperature ?? null,
      text: { format: { type: "text" }, ...body.text },
      tool_choice: body.tool_choice ?? "auto",
      tools: body.tools ?? [],
      top_logprobs: body.top_logprobs ?? 0,
      top_p: body.top_p ?? null,
      truncation: "disabled",
    },
  };
}

function topOf({ include = [], top_logprobs: top }: Body): number | undefined {
  if (include.includes(LOGPROBS)) return top ?? 0;
  if (!top) return undefined;
  throw new ApiError(400, `'top_logprobs' is taken where 'include' has '${LOGPROBS}'.`, {
    param: "top_logprobs",
  });
}

function answerFormOf(body: Body): AnswerForm {
  const tools = (body.tools ?? []).map(({ name, description, parameters }, index) => ({
    name,
    description: description ?? undefined,
    parameters: parameters ?? undefined,
    param: `tools[${index}].parameters`,
  }));
  return {
    tools: withoutTwins(tools),
    choice: choiceOf(body.tool_choice, tools),
    isParallel: body.parallel_tool_calls ?? true,
    text: textFormOf(body.text?.format),
  };
}

function choiceOf(choice: Body["tool_choice"] = "auto", tools: AnswerForm["tools"]): ToolChoice {
  if (typeof choice === "string") return choiceAmong(tools, choice);
  if (choice.type === "function") return choiceAmong(tools, "required", [choice.name]);
  const names = choice.tools.map(({ name }) => name);
  return choiceAmong(tools, choice.mode, names);
}

function textFormOf(format: NonNullable<Body["text"]>["format"]): TextForm {
  if (format === undefined || format.type === "text") return { type: "text" };
  if (format.type === "json_object") return { type: "json" };
  return { type: "schema", schema: format.schema, param: "text.format.schema" };
}
