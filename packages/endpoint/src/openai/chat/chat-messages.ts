/**
 * Chat messages as programs write them, and as a worker takes them: a role and a text.
 *
 * @module
 */
import { z } from "zod";
import { answerText, resultText } from "../../answer/tool-calls.ts";
import { joinNeighbours, type Said } from "../../conversations/continuation.ts";
import { ApiError } from "../../request/api-error.ts";

const contentSchema = z.union([
  z.string(),
  z.array(z.strictObject({ type: z.literal("text"), text: z.string() })),
]);

/** What clients send back of an answer, with nothing in it. */
const nothing = z.union([z.null(), z.array(z.never())]).exactOptional();

const callSchema = z.strictObject({
  id: z.string(),
  type: z.literal("function"),
  function: z.strictObject({
    name: z.string(),
    arguments: z.string(),
    parsed_arguments: z.unknown().exactOptional(),
  }),
});

export const chatMessageSchema = z.discriminatedUnion("role", [
  z.strictObject({ role: z.enum(["system", "developer", "user"]), content: contentSchema }),
  z.strictObject({
    role: z.literal("assistant"),
    content: contentSchema.nullish(),
    tool_calls: z.array(callSchema).nullish(),
    // The official client's own reading of the text, which it leaves in what it parsed.
    parsed: z.unknown().exactOptional(),
    refusal: nothing,
    annotations: nothing,
    audio: nothing,
    function_call: nothing,
  }),
  z.strictObject({ role: z.literal("tool"), tool_call_id: z.string(), content: contentSchema }),
]);

type ChatMessage = z.infer<typeof chatMessageSchema>;

/**
 * @param instructions what the model is told before everything else
 * @throws {@link ApiError} 400 where the last word is the model's, or a result is of no call
 */
export function messagesOf(
  messages: readonly ChatMessage[],
  instructions: string | undefined,
): Said[] {
  const names = new Map<string, string>();
  const said = messages.map((message, index) => saidOf(message, index, names));
  if (instructions !== undefined) said.unshift({ role: "system", text: instructions });
  const joined = joinNeighbours(said);
  if (joined.at(-1)?.role !== "user")
    throw new ApiError(400, "The last message has to be the user's, or the result of a call.", {
      param: "messages",
    });
  return joined;
}

/** @param names of the functions that were called, by the call's id */
function saidOf(message: ChatMessage, index: number, names: Map<string, string>): Said {
  switch (message.role) {
    case "system":
    case "developer":
      return { role: "system", text: textOf(message.content) };
    case "user":
      return { role: "user", text: textOf(message.content) };
    case "assistant": {
      const calls = message.tool_calls ?? [];
      for (const call of calls) names.set(call.id, call.function.name);
      const text = answerText(
        textOf(message.content ?? ""),
        calls.map((call) => call.function),
      );
      return { role: "assistant", text };
    }
    case "tool": {
      const name = names.get(message.tool_call_id);
      if (name === undefined)
        throw new ApiError(400, "A result is of no call that stands before it.", {
          param: `messages[${index}].tool_call_id`,
        });
      return { role: "user", text: resultText(name, textOf(message.content)) };
    }
  }
}

function textOf(content: z.infer<typeof contentSchema>): string {
  return typeof content === "string" ? content : content.map(({ text }) => text).join("\n");
}
