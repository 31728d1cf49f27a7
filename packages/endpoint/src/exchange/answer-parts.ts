/**
 * Answers as they come from a worker, taken apart into text and calls.
 *
 * @module
 */
import type { Finish } from "@phantoma/protocol";
import { AnswerReader, type AnswerPart } from "../answer/tool-calls.ts";
import type { GenerationEvent } from "../conversations/generate.ts";

export type AnswerEvent = { readonly choice: number } & (
  | AnswerPart
  | {
      readonly type: "finish";
      readonly finish: Finish;
      /** How many calls the answer has. */
      readonly calls: number;
    }
);

/** @param canCall where an answer cannot, what looks like a call is text */
export async function* answerParts(
  events: AsyncIterable<GenerationEvent>,
  canCall: boolean,
): AsyncGenerator<AnswerEvent, void, undefined> {
  let reader = new AnswerReader();
  let calls = 0;
  for await (const event of events) {
    const { choice } = event;
    if (event.type === "text" && !canCall) yield event;
    else if (event.type === "text") {
      for (const part of reader.read(event.text)) {
        if (part.type === "call") calls++;
        yield { choice, ...part };
      }
    } else {
      for (const part of reader.end()) {
        if (part.type === "call") calls++;
        yield { choice, ...part };
      }
      yield { ...event, calls };
      reader = new AnswerReader();
      calls = 0;
    }
  }
}
