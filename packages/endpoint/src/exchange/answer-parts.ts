/**
 * Answers as they come from a worker, taken apart into text and calls.
 *
 * @module
 */
import type { Finish, TokenLogprob } from "@phantoma/protocol";
import { AnswerReader, type AnswerPart, type ToolCall } from "../answer/tool-calls.ts";
import type { GenerationEvent } from "../conversations/generate.ts";

export type AnswerEvent = { readonly choice: number } & (
  | {
      readonly type: "text";
      readonly text: string;
      /** Those that became this text, where the request wants to know them. Tokens of a call are not told. */
      readonly tokens: readonly TokenLogprob[];
    }
  | { readonly type: "call"; readonly call: ToolCall }
  | {
      readonly type: "finish";
      readonly finish: Finish;
      /** How many calls the answer has. */
      readonly calls: number;
      /** Those that became no text: of a stop sequence, or of a character that was cut. */
      readonly tokens: readonly TokenLogprob[];
    }
);

/** @param canCall where an answer cannot, what looks like a call is text */
export async function* answerParts(
  events: AsyncIterable<GenerationEvent>,
  canCall: boolean,
): AsyncGenerator<AnswerEvent, void, undefined> {
  let reader = new AnswerReader();
  let calls = 0;
  let tokens: TokenLogprob[] = [];
  const take = () => tokens.splice(0);
  for await (const event of events) {
    const { choice } = event;
    if (event.type === "token") {
      tokens.push(event.token);
      continue;
    }
    for (const part of partsOf(event, reader, canCall)) {
      const told = take();
      if (part.type === "call") calls++;
      yield part.type === "text" ? { choice, ...part, tokens: told } : { choice, ...part };
    }
    if (event.type === "text") continue;
    const rest = take();
    yield { ...event, calls, tokens: calls > 0 ? [] : rest };
    reader = new AnswerReader();
    calls = 0;
  }
}

function partsOf(
  event: Exclude<GenerationEvent, { type: "token" }>,
  reader: AnswerReader,
  canCall: boolean,
): readonly AnswerPart[] {
  if (event.type === "finish") return reader.end();
  return canCall ? reader.read(event.text) : [{ type: "text", text: event.text }];
}
