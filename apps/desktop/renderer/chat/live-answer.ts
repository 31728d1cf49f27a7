/**
 * How far an answer is, without its text: that changes a few times, the text with every frame.
 *
 *   asking ──started──> waiting ──delta──> streaming ──finish──> finished
 *                        │   ^
 *                        └───┴── queued, retrying
 *
 * @module
 */
import type { AnswerEvent, ConsoleError } from "../../ipc/contract.ts";

export interface LiveAnswer {
  /** asking: nothing heard yet · waiting: no text yet · finished: text is there, its end is not */
  readonly phase: "asking" | "waiting" | "queued" | "retrying" | "streaming" | "finished";
  readonly answerId: string | null;
  readonly queuePosition: number | null;
  readonly retry: { readonly error: ConsoleError; readonly at: number } | null;
}

export const asking: LiveAnswer = {
  phase: "asking",
  answerId: null,
  queuePosition: null,
  retry: null,
};

/** The same object where nothing changed, so that nothing is drawn again. */
export function nextLiveAnswer(live: LiveAnswer, event: AnswerEvent, now: number): LiveAnswer {
  const calm = { ...live, queuePosition: null, retry: null };
  switch (event.type) {
    case "started":
      return { ...calm, phase: "waiting", answerId: event.answer.id };
    case "queued":
      return { ...calm, phase: "queued", queuePosition: event.position };
    case "retrying":
      return { ...calm, phase: "retrying", retry: { error: event.error, at: now + event.delayMs } };
    case "delta":
      return live.phase === "streaming" ? live : { ...calm, phase: "streaming" };
    case "finish":
      return { ...calm, phase: "finished" };
    case "worker": {
      const isReady = event.worker.state === "live" && live.phase !== "streaming";
      return isReady && live.phase !== "finished" ? { ...calm, phase: "waiting" } : live;
    }
    case "end":
    case "error":
      return live;
  }
}
