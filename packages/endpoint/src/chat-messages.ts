/**
 * Chat messages as programs write them, and as a worker takes them: a role and a text.
 *
 * @module
 */
import { z } from "zod";
import { ApiError } from "./api-error.ts";
import { joinNeighbours, type Said } from "./continuation.ts";

const contentSchema = z.union([
  z.string(),
  z.array(z.strictObject({ type: z.literal("text"), text: z.string() })),
]);

/** What clients send back of an answer, with nothing in it. */
const nothing = z.union([z.null(), z.array(z.never())]).exactOptional();

export const chatMessageSchema = z.discriminatedUnion("role", [
  z.strictObject({ role: z.enum(["system", "developer", "user"]), content: contentSchema }),
  z.strictObject({
    role: z.literal("assistant"),
    content: contentSchema,
    refusal: nothing,
    annotations: nothing,
    audio: nothing,
    function_call: nothing,
    tool_calls: nothing,
  }),
]);

type ChatMessage = z.infer<typeof chatMessageSchema>;

/** @throws {@link ApiError} 400 where the last word is not the user's */
export function messagesOf(messages: readonly ChatMessage[]): Said[] {
  const said = joinNeighbours(
    messages.map(({ role, content }) => ({
      role: role === "developer" ? "system" : role,
      text: textOf(content),
    })),
  );
  if (said.at(-1)?.role !== "user")
    throw new ApiError(400, "The last message has to be the user's.", { param: "messages" });
  return said;
}

function textOf(content: z.infer<typeof contentSchema>): string {
  return typeof content === "string" ? content : content.map(({ text }) => text).join("\n");
}
