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
} from "./answer-form.ts";
import { ApiError } from "./api-error.ts";
import { functionName, jsonObject, MAX_TOOLS } from "./chat-tools.ts";
import { joinNeighbours, type Said } from "./continuation.ts";
import type { Asked } from "./generate.ts";
import { isStreamed, modelField, nameField, streamFields } from "./openai-fields.ts";
import { admitParameters, type ParameterTable } from "./parameters.ts";
import { samplingOf, samplingSchemas } from "./sampling-parameters.ts";
import { answerText, resultText, type ToolCall } from "./tool-calls.ts";

export const responsesParameters: ParameterTable = {
  model: { taken: "name or SHA-256 of one of the node's models", example: "demo" },
  input: {
    taken:
      "a text, or items: messages with text, `function_call`, `function_call_output`; the last is the user's or a result. Images, files, reasoning and references are refused",
    example: [{ role: "user", content: [{ type: "input_text", text: "hello" }] }],
  },
  instructions: { taken: "what the model is told first", example: "rules" },
  stream: { taken: "server-sent events", example: false },
  stream_options: {
    taken: "`include_obfuscation` only `false`: the tunnel hides sizes already",
    example: { include_obfuscation: false },
    beside: { stream: true },
  },
  max_output_tokens: { taken: "1 to 1,000,000; without it as far as the context", example: 8 },
  temperature: { taken: "0 to 2; 0 always takes the likeliest token", example: 0.5 },
  top_p: { taken: "0 to 1", example: 0.9 },
  text: {
    taken: "`format`: `text`, `json_object`, `json_schema`, as with chat; `verbosity` is refused",
    example: { format: { type: "json_object" } },
  },
  tools: {
    taken:
      "up to 128 functions; their arguments are held to their schema. Tools that OpenAI runs are refused",
    example: [{ type: "function", name: "f", parameters: { type: "object" }, strict: true }],
  },
  tool_choice: {
    taken: "`none`, `auto`, `required`, one function, `allowed_tools`",
    example: "none",
  },
  parallel_tool_calls: { taken: "`true`: up to 16 calls in one answer", example: false },
  user: { taken: "keeps conversations apart, as a key does", example: "somebody" },
  safety_identifier: { taken: "the newer name of `user`", example: "somebody" },
  prompt_cache_key: { taken: "keeps conversations apart, as a key does", example: "task 1" },
  store: { only: [false], why: "nothing is kept, also where it is left out", example: true },
  background: { only: [false], why: "nothing is kept", example: true },
  include: {
    only: [[], ["reasoning.encrypted_content"]],
    why: "there is no reasoning that could be included",
    example: ["message.output_text.logprobs"],
  },
  metadata: { only: [{}], why: "it belongs to stored answers", example: { a: "b" } },
  service_tier: { only: ["auto", "default"], why: "there is one", example: "flex" },
  truncation: {
    only: ["disabled"],
    why: "nothing is dropped from a conversation",
    example: "auto",
  },
  top_logprobs: { only: [0], why: "the worker tells none", example: 2 },
  previous_response_id: { refused: "nothing is kept: send the whole input", example: "resp_1" },
  conversation: { refused: "nothing is kept: send the whole input", example: "conv_1" },
  prompt: { refused: "no prompts are stored", example: { id: "x" } },
  reasoning: { refused: "a template decides whether its model thinks", example: { effort: "low" } },
  max_tool_calls: { refused: "it counts tools that OpenAI runs", example: 2 },
  prompt_cache_retention: { refused: "a worker lives as long as its conversation", example: "24h" },
  prompt_cache_options: { refused: "a worker lives as long as its conversation", example: {} },
  context_management: { refused: "nothing is dropped from a conversation", example: [] },
  moderation: { refused: "nobody reads along", example: {} },
  background_options: { refused: "nothing is kept", example: {} },
  access_programs: { refused: "there are none", example: {} },
  image: { refused: "the models make no pictures", example: {} },
};

const inputText = z.union([
  z.string(),
  z.array(z.strictObject({ type: z.literal("input_text"), text: z.string() })),
]);

const outputText = z.union([
  z.string(),
  z.array(
    z.strictObject({
      type: z.literal("output_text"),
      text: z.string(),
      annotations: z.array(z.never()).exactOptional(),
      logprobs: z.array(z.never()).exactOptional(),
    }),
  ),
]);

/** What clients send back of an item, without meaning here. */
const echoed = {
  id: z.string().nullish(),
  status: z.enum(["in_progress", "completed", "incomplete"]).nullish(),
};

const messageType = z.literal("message").default("message");

const inputItem = z.union([
  z.strictObject({
    ...echoed,
    type: messageType,
    role: z.enum(["user", "system", "developer"]),
    content: inputText,
  }),
  z.strictObject({
    ...echoed,
    type: messageType,
    role: z.literal("assistant"),
    content: outputText,
  }),
  z.strictObject({
    ...echoed,
    type: z.literal("function_call"),
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
  }),
  z.strictObject({
    ...echoed,
    type: z.literal("function_call_output"),
    call_id: z.string(),
    output: inputText,
  }),
]);

const named = z.strictObject({ type: z.literal("function"), name: functionName });

const schema = z.strictObject({
  ...streamFields,
  model: modelField,
  input: z.union([z.string(), z.array(inputItem).min(1).max(10_000)]),
  instructions: z.string().exactOptional(),
  max_output_tokens: samplingSchemas.maxTokens,
  temperature: samplingSchemas.temperature,
  top_p: samplingSchemas.topP,
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
  parallel_tool_calls: z.boolean().exactOptional(),
  user: nameField,
  safety_identifier: nameField,
  prompt_cache_key: nameField,
});

type Body = z.infer<typeof schema>;
type Item = z.infer<typeof inputItem>;

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
    messages: saidOf(body, toolInstructions(form.tools)),
    sampling: samplingOf({ ...body, maxTokens: body.max_output_tokens, grammar: grammarOf(form) }),
    choices: 1,
    scope: JSON.stringify([body.user, body.safety_identifier, body.prompt_cache_key]),
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
      top_p: body.top_p ?? null,
      truncation: "disabled",
    },
  };
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

/** @throws {@link ApiError} 400 where the last word is the model's, or a result is of no call */
function saidOf({ input, instructions: rules }: Body, instructions: string | undefined): Said[] {
  const said: Said[] = [instructions, rules]
    .filter((text) => text !== undefined)
    .map((text) => ({ role: "system", text }));
  if (typeof input === "string") said.push({ role: "user", text: input });
  else said.push(...itemsSaid(input));
  const joined = joinNeighbours(said);
  if (joined.at(-1)?.role === "user") return joined;
  throw new ApiError(400, "The last item of 'input' has to be the user's, or a result.", {
    param: "input",
  });
}

/** What the model said and called in one answer is one message, though each is an item. */
function itemsSaid(items: readonly Item[]): Said[] {
  const names = new Map<string, string>();
  const said: Said[] = [];
  let answer: { text: string; calls: ToolCall[] } | undefined;
  const endAnswer = () => {
    if (answer) said.push({ role: "assistant", text: answerText(answer.text, answer.calls) });
    answer = undefined;
  };
  for (const [index, item] of items.entries()) {
    if (item.type === "function_call") {
      names.set(item.call_id, item.name);
      answer ??= { text: "", calls: [] };
      answer.calls.push({ name: item.name, arguments: item.arguments });
    } else if (item.type === "message" && item.role === "assistant") {
      if (answer) endAnswer();
      answer = { text: textOf(item.content), calls: [] };
    } else {
      endAnswer();
      if (item.type === "message") {
        const role = item.role === "user" ? "user" : "system";
        said.push({ role, text: textOf(item.content) });
        continue;
      }
      const name = names.get(item.call_id);
      const param = `input[${index}].call_id`;
      if (name === undefined)
        throw new ApiError(400, `'${param}' is of no call that stands before it.`, { param });
      said.push({ role: "user", text: resultText(name, textOf(item.output)) });
    }
  }
  endAnswer();
  return said;
}

function textOf(content: z.infer<typeof inputText> | z.infer<typeof outputText>): string {
  return typeof content === "string" ? content : content.map(({ text }) => text).join("\n");
}
