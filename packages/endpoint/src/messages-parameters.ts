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
} from "./answer-form.ts";
import { ApiError } from "./api-error.ts";
import { functionName, jsonObject, MAX_TOOLS } from "./chat-tools.ts";
import { joinNeighbours, type Said } from "./continuation.ts";
import type { Asked } from "./generate.ts";
import { modelField, nameField } from "./openai-fields.ts";
import { admitParameters, type ParameterTable } from "./parameters.ts";
import { samplingOf, samplingSchemas } from "./sampling-parameters.ts";
import { answerText, resultText } from "./tool-calls.ts";

export const messagesParameters: ParameterTable = {
  model: { taken: "name or SHA-256 of one of the node's models", example: "demo" },
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
};

const cacheControl = z
  .strictObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).exactOptional() })
  .nullish();

const textBlock = z.strictObject({
  type: z.literal("text"),
  text: z.string(),
  cache_control: cacheControl,
  citations: z.union([z.null(), z.array(z.never())]).exactOptional(),
});

const textSchema = z.union([z.string(), z.array(textBlock)]);

const toolUse = z.strictObject({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.unknown(),
  cache_control: cacheControl,
  caller: z.strictObject({ type: z.literal("direct") }).exactOptional(),
  toolset_name: z.null().exactOptional(),
});

const toolResult = z.strictObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: textSchema.exactOptional(),
  is_error: z.boolean().exactOptional(),
  cache_control: cacheControl,
  toolset_name: z.null().exactOptional(),
});

const messageSchema = z.discriminatedUnion("role", [
  z.strictObject({
    role: z.literal("user"),
    content: z.union([
      z.string(),
      z.array(z.discriminatedUnion("type", [textBlock, toolResult])).min(1),
    ]),
  }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.union([z.string(), z.array(z.discriminatedUnion("type", [textBlock, toolUse]))]),
  }),
]);

type Message = z.infer<typeof messageSchema>;

const isSerial = z.boolean().exactOptional();

const schema = z.strictObject({
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

type Body = z.infer<typeof schema>;

/** @throws {@link ApiError} 400 */
export function parseMessagesRequest(untrusted: Readonly<Record<string, unknown>>): Asked {
  const body = admitParameters(messagesParameters, schema, untrusted);
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

function answerFormOf(body: Body): AnswerForm {
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

/** @throws {@link ApiError} 400 where the last word is the model's, or a result is of no call */
function saidOf({ system, messages }: Body, instructions: string | undefined): Said[] {
  const names = new Map<string, string>();
  const said: Said[] = [
    ...(instructions === undefined ? [] : [{ role: "system", text: instructions } as const]),
    ...(system === undefined ? [] : [{ role: "system", text: textOf(system) } as const]),
    ...messages.map((message, index) => messageOf(message, index, names)),
  ];
  const joined = joinNeighbours(said);
  if (joined.at(-1)?.role === "user") return joined;
  throw new ApiError(400, "The last of 'messages' has to be the user's.", { param: "messages" });
}

function messageOf({ role, content }: Message, index: number, names: Map<string, string>): Said {
  if (typeof content === "string") return { role, text: content };
  const texts = content.filter((block) => block.type === "text").map(({ text }) => text);
  if (role === "assistant") {
    const uses = content.filter((block) => block.type === "tool_use");
    for (const { id, name } of uses) names.set(id, name);
    const calls = uses.map(({ name, input }) => ({
      name,
      arguments: JSON.stringify(input ?? {}),
    }));
    return { role, text: answerText(texts.join("\n"), calls) };
  }
  const results = content
    .filter((block) => block.type === "tool_result")
    .map(({ tool_use_id: id, content: given = "", is_error: isError }) => {
      const name = names.get(id);
      if (name !== undefined) return resultText(name, (isError ? "error: " : "") + textOf(given));
      const param = `messages[${index}].content`;
      throw new ApiError(400, `A 'tool_use_id' in '${param}' is of no call before it.`, { param });
    });
  return { role, text: [...results, ...texts].join("\n\n") };
}

function textOf(content: z.infer<typeof textSchema>): string {
  return typeof content === "string" ? content : content.map(({ text }) => text).join("\n");
}
