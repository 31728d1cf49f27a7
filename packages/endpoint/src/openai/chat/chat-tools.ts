/**
 * Functions, the choice among them, and the form of an answer, as chat completions say them.
 *
 * Source: OpenAI API reference, `tools`, `tool_choice` and `response_format` of "Create chat completion".
 *
 * @module
 */
import { z } from "zod";
import {
  choiceAmong,
  withoutTwins,
  type AnswerForm,
  type TextForm,
  type Tool,
  type ToolChoice,
} from "../../answer/answer-form.ts";
import { functionName, jsonObject, MAX_TOOLS } from "../../request/request-fields.ts";

export const toolsSchema = z
  .array(
    z.strictObject({
      type: z.literal("function"),
      function: z.strictObject({
        name: functionName,
        description: z.string().nullish(),
        parameters: jsonObject.nullish(),
        strict: z.boolean().nullish(),
      }),
    }),
  )
  .max(MAX_TOOLS);

const named = z.strictObject({
  type: z.literal("function"),
  function: z.strictObject({ name: functionName }),
});

export const toolChoiceSchema = z.union([
  z.enum(["none", "auto", "required"]),
  named,
  z.strictObject({
    type: z.literal("allowed_tools"),
    allowed_tools: z.strictObject({
      mode: z.enum(["auto", "required"]),
      tools: z.array(named).min(1),
    }),
  }),
]);

export const responseFormatSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text") }),
  z.strictObject({ type: z.literal("json_object") }),
  z.strictObject({
    type: z.literal("json_schema"),
    json_schema: z.strictObject({
      name: functionName,
      description: z.string().nullish(),
      schema: jsonObject,
      strict: z.boolean().nullish(),
    }),
  }),
]);

/** @throws `ApiError` 400 */
export function answerFormOf(asked: {
  readonly tools?: z.infer<typeof toolsSchema>;
  readonly tool_choice?: z.infer<typeof toolChoiceSchema>;
  readonly parallel_tool_calls?: boolean;
  readonly response_format?: z.infer<typeof responseFormatSchema>;
}): AnswerForm {
  const tools = (asked.tools ?? []).map(
    ({ function: { name, description, parameters } }, index) => ({
      name,
      description: description ?? undefined,
      parameters: parameters ?? undefined,
      param: `tools[${index}].function.parameters`,
    }),
  );
  return {
    tools: withoutTwins(tools),
    choice: choiceOf(asked.tool_choice, tools),
    isParallel: asked.parallel_tool_calls ?? true,
    text: textFormOf(asked.response_format),
  };
}

function choiceOf(
  choice: z.infer<typeof toolChoiceSchema> = "auto",
  tools: readonly Tool[],
): ToolChoice {
  if (typeof choice === "string") return choiceAmong(tools, choice);
  if (choice.type === "function") return choiceAmong(tools, "required", [choice.function.name]);
  const { mode, tools: allowed } = choice.allowed_tools;
  const names = allowed.map((tool) => tool.function.name);
  return choiceAmong(tools, mode, names);
}

function textFormOf(format: z.infer<typeof responseFormatSchema> = { type: "text" }): TextForm {
  if (format.type === "text") return { type: "text" };
  if (format.type === "json_object") return { type: "json" };
  const param = "response_format.json_schema.schema";
  return { type: "schema", schema: format.json_schema.schema, param };
}
