/**
 * What a program may ask of `/v1/messages`.
 *
 * Source: Anthropic API reference, "Create a Message".
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
  type ToolChoice,
} from "../answer/answer-form.ts";
import type { Asked } from "../conversations/generate.ts";
import { admitParameters, type ParameterTable } from "../request/parameters.ts";
import {
  functionName,
  jsonObject,
  MAX_TOOLS,
  modelField,
  modelRow,
  nameField,
} from "../request/request-fields.ts";
import { samplingOf, samplingSchemas } from "../request/sampling-parameters.ts";
import { cacheControl, messageSchema, saidOf, textSchema } from "./message-blocks.ts";

export const messagesParameters = {
  model: modelRow,
  messages: {
    taken:
      "`user` and `assistant`; blocks `text`, `tool_use`, `tool_result`; the last is the user's. Images, documents, thinking and the rest are refused",
    example: [{ role: "user", content: [{ type: "text", text: "hello" }] }],
  },
  max_tokens: { taken: "1 to 1,000,000; has to be there", example: 8 },
  system: { taken: "a text or text blocks", example: "rules" },
  stream: { taken: "server-sent events", example: false },
  stop_sequences: {
    taken:
      "up to 16, of 1 to 256 characters; `stop_sequence` in the answer is `null` where there were several",
    example: ["\n"],
  },
  temperature: { taken: "0 to 1; 0 always takes the likeliest token", example: 0.5 },
  top_p: { taken: "0 to 1", example: 0.9 },
  top_k: { taken: "0 to 100,000, 0 for all tokens", example: 40 },
  tools: {
    taken:
      "up to 128 of your own; their input is held to its schema. Tools that Anthropic runs are refused",
    example: [{ name: "f", input_schema: { type: "object" } }],
  },
  tool_choice: {
    taken: "`auto`, `any`, `tool`, `none`, with `disable_parallel_tool_use`",
    example: { type: "none" },
  },
  output_config: {
    taken:
      "`format` of type `json_schema`: a grammar that no answer leaves. `effort` is refused: a template decides whether its model thinks",
    example: { format: { type: "json_schema", schema: { type: "object" } } },
  },
  metadata: {
    taken: "`user_id` keeps conversations apart, as a key does",
    example: { user_id: "somebody" },
  },
  cache_control: {
    taken: "`ephemeral`, here and in blocks: a worker keeps what was said in any case",
    example: { type: "ephemeral" },
  },
  thinking: {
    only: [{ type: "disabled" }],
    why: "a template decides whether its model thinks",
    example: { type: "enabled", budget_tokens: 1024 },
  },
  service_tier: { only: ["auto", "standard_only"], why: "there is one", example: "priority" },
  speed: { only: ["standard"], why: "there is one", example: "fast" },
  container: { refused: "a worker is a process of its own, and used once", example: "x" },
  context_management: { refused: "nothing is dropped from a conversation", example: {} },
  diagnostics: { refused: "there are none", example: {} },
  inference_geo: { refused: "the answer is computed on your own node", example: "eu" },
  mcp_servers: { refused: "a worker reaches no network", example: [] },
  user_profile_id: { refused: "there are no profiles", example: "x" },
  workspace_id: { refused: "there are no workspaces", example: "x" },
  billing_policy: { refused: "nothing is billed", example: {} },
  compaction: { refused: "nothing is dropped from a conversation", example: {} },
  fallback_credit_token: { refused: "nothing is billed", example: "x" },
  fallbacks: { refused: "the model that is asked answers, or none", example: [] },
  output_format: { refused: "the older form of `output_config`", example: {} },
  thread: { refused: "nothing is kept: send the whole conversation", example: {} },
} satisfies ParameterTable;

const isSerial = z.boolean().exactOptional();

export const messagesSchema = z.strictObject({
  model: modelField,
  messages: z.array(messageSchema).min(1).max(10_000),
  max_tokens: z.int().min(1).max(1_000_000),
  system: textSchema.exactOptional(),
  stream: z.boolean().exactOptional(),
  stop_sequences: z.array(z.string().min(1).max(256)).max(16).exactOptional(),
  temperature: z.number().min(0).max(1).exactOptional(),
  top_p: samplingSchemas.topP,
  top_k: samplingSchemas.topK,
  tools: z
    .array(
      z.strictObject({
        type: z.literal("custom").nullish(),
        name: functionName,
        description: z.string().exactOptional(),
        input_schema: jsonObject,
        strict: z.boolean().exactOptional(),
        cache_control: cacheControl,
        // All calls come whole; asking for pieces is asking for the same.
        eager_input_streaming: z.boolean().nullish(),
      }),
    )
    .max(MAX_TOOLS)
    .exactOptional(),
  tool_choice: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("none") }),
      z.strictObject({ type: z.literal("auto"), disable_parallel_tool_use: isSerial }),
      z.strictObject({ type: z.literal("any"), disable_parallel_tool_use: isSerial }),
      z.strictObject({
        type: z.literal("tool"),
        name: functionName,
        disable_parallel_tool_use: isSerial,
      }),
    ])
    .exactOptional(),
  output_config: z
    .strictObject({
      format: z
        .strictObject({
          type: z.literal("json_schema"),
          schema: jsonObject,
        })
        .nullish(),
    })
    .exactOptional(),
  metadata: z.strictObject({ user_id: nameField.nullish() }).exactOptional(),
  cache_control: cacheControl,
});

type Body = z.infer<typeof messagesSchema>;

/** @throws `ApiError` 400 */
export function parseMessagesRequest(untrusted: Readonly<Record<string, unknown>>): Asked {
  const body = admitParameters(messagesParameters, messagesSchema, untrusted);
  const form = answerFormOf(body);
  const { max_tokens: maxTokens, stop_sequences: stop = [] } = body;
  return {
    model: body.model,
    messages: saidOf(body, toolInstructions(form.tools)),
    sampling: samplingOf({ ...body, maxTokens, stop, grammar: grammarOf(form) }),
    choices: 1,
    scope: JSON.stringify([body.metadata?.user_id]),
    canCall: form.tools.length > 0,
    isStreamed: body.stream ?? false,
  };
}

/** @throws `ApiError` 400 */
export function answerFormOf(
  body: Pick<Body, "tools" | "tool_choice" | "output_config">,
): AnswerForm {
  const tools = (body.tools ?? []).map(({ name, description, input_schema }, index) => ({
    name,
    description,
    parameters: input_schema,
    param: `tools[${index}].input_schema`,
  }));
  const { tool_choice: choice = { type: "auto" }, output_config: config } = body;
  const isSerial = "disable_parallel_tool_use" in choice && choice.disable_parallel_tool_use;
  return {
    tools: withoutTwins(tools),
    choice: choiceOf(choice, tools),
    isParallel: !isSerial,
    text: config?.format
      ? { type: "schema", schema: config.format.schema, param: "output_config.format.schema" }
      : { type: "text" },
  };
}

function choiceOf(
  choice: NonNullable<Body["tool_choice"]>,
  tools: AnswerForm["tools"],
): ToolChoice {
  switch (choice.type) {
    case "none":
    case "auto":
      return choiceAmong(tools, choice.type);
    case "any":
      return choiceAmong(tools, "required");
    case "tool":
      return choiceAmong(tools, "required", [choice.name]);
  }
}
