/**
 * One answer as it comes: shown, measured, and marked when it was cut.
 *
 * @module
 */
import type { Conversation } from "@phantoma/client";
import { write } from "./output.ts";

type Turn = Parameters<Conversation["turn"]>[0];

export interface MeasuredAnswer {
  readonly text: string;
  /** Why the answer ended. */
  readonly reason: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** By this machine's clock, from asking to the first text, in milliseconds. */
  readonly firstTextMs: number;
  /** Of that, what the model itself took, by the worker's clock. */
  readonly modelFirstTokenMs: number | null;
  /** The difference: what tunnel, queue and steady pace added. */
  readonly addedMs: number | null;
  readonly tokensPerSecond: number | null;
}

/** @param show whether the text goes to standard output while it comes */
export async function streamAnswer(
  conversation: Conversation,
  turn: Turn,
  show: boolean,
): Promise<MeasuredAnswer> {
  const startedAt = performance.now();
  let firstTextMs = 0;
  let text = "";
  for await (const event of conversation.turn(turn)) {
    if (event.type === "delta") {
      firstTextMs ||= performance.now() - startedAt;
      text += event.text;
      if (show) write(event.text);
    } else if (event.type === "finish") {
      const { reason, usage, timings } = event.finish;
      const { promptTokens, completionTokens } = usage;
      const { firstTokenMs, totalMs } = timings;
      return {
        text,
        reason,
        promptTokens,
        completionTokens,
        firstTextMs,
        modelFirstTokenMs: firstTokenMs,
        addedMs: firstTokenMs === null || text === "" ? null : firstTextMs - firstTokenMs,
        tokensPerSecond: perSecond(completionTokens - 1, totalMs - (firstTokenMs ?? totalMs)),
      };
    }
  }
  throw new Error("an answer ends with a finish or an error");
}

function perSecond(count: number, ms: number): number | null {
  return count > 0 && ms > 0 ? (count * 1000) / ms : null;
}
