/**
 * What was said so far, as items of `/v1/responses`, and as a worker takes it: a role and a text.
 *
 * @module
 */
import { z } from "zod";
import { answerText, resultText, type ToolCall } from "../../answer/tool-calls.ts";
import { joinNeighbours, type Said } from "../../conversations/continuation.ts";
import { ApiError } from "../../request/api-error.ts";

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
      logprobs: z.array(z.unknown()).exactOptional(),
      // The official client's own reading of the text, which it leaves in what it streamed.
      parsed: z.unknown().exactOptional(),
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
    parsed_arguments: z.unknown().exactOptional(),
  }),
  z.strictObject({
    ...echoed,
    type: z.literal("function_call_output"),
    call_id: z.string(),
    output: inputText,
  }),
]);

export const inputSchema = z.union([z.string(), z.array(inputItem).min(1).max(10_000)]);

type Item = z.infer<typeof inputItem>;

/**
 * @param instructions what the model is told before everything else
 * @throws {@link ApiError} 400 where the last word is the model's, or a result is of no call
 */
export function messagesOf(
  input: z.infer<typeof inputSchema>,
  instructions: readonly (string | undefined)[],
): Said[] {
  const said: Said[] = instructions
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
