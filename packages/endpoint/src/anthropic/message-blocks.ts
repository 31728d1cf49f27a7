/**
 * Messages as Anthropic's interface has them, of blocks, and as a worker takes them: a role and a text.
 *
 * @module
 */
import { z } from "zod";
import { answerText, resultText } from "../answer/tool-calls.ts";
import { joinNeighbours, type Said } from "../conversations/continuation.ts";
import { ApiError } from "../request/api-error.ts";

export const cacheControl = z
  .strictObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).exactOptional() })
  .nullish();

const textBlock = z.strictObject({
  type: z.literal("text"),
  text: z.string(),
  cache_control: cacheControl,
  citations: z.union([z.null(), z.array(z.never())]).exactOptional(),
});

export const textSchema = z.union([z.string(), z.array(textBlock)]);

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

export const messageSchema = z.discriminatedUnion("role", [
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

/** @throws {@link ApiError} 400 where the last word is the model's, or a result is of no call */
export function saidOf(
  {
    system,
    messages,
  }: { readonly system?: z.infer<typeof textSchema>; readonly messages: readonly Message[] },
  instructions: string | undefined,
): Said[] {
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
