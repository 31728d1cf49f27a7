import { expect, test } from "vitest";
import type { AnswerEvent, Message, Worker } from "../../ipc/contract.ts";
import { asking, nextLiveAnswer } from "./live-answer.ts";

const answer: Message = {
  id: "0123456789abcdef",
  parent: null,
  role: "assistant",
  text: "",
  state: "streaming",
  metrics: null,
  createdAt: 0,
  errorCode: null,
  finishReason: null,
};
const worker: Worker = {
  state: "live",
  queuePosition: null,
  idleDeadline: null,
  task: null,
  endReason: null,
};
const error = { code: "ERR_UNREACHABLE", message: "", action: "" } as const;
const after = (...events: AnswerEvent[]) =>
  events.reduce((live, event) => nextLiveAnswer(live, event, 1_000), asking);

test("an answer goes from asking over waiting and streaming to finished", () => {
  const events: AnswerEvent[] = [
    { type: "started", question: null, answer },
    { type: "delta", text: "a" },
    { type: "finish", answer },
  ];
  const phases = events.map((_, at) => after(...events.slice(0, at + 1)).phase);
  expect(phases).toEqual(["waiting", "streaming", "finished"]);
});

test("a place in the queue is shown until a worker is there", () => {
  const queued = after({ type: "queued", position: 3 });
  expect(queued).toMatchObject({ phase: "queued", queuePosition: 3 });
  const live = nextLiveAnswer(queued, { type: "worker", worker }, 0);
  expect(live).toMatchObject({ phase: "waiting", queuePosition: null });
});

test("a retry knows when it comes", () => {
  expect(after({ type: "retrying", error, delayMs: 500 }).retry).toEqual({ error, at: 1_500 });
});

test("more text changes nothing but the text", () => {
  const streaming = after({ type: "delta", text: "a" });
  expect(nextLiveAnswer(streaming, { type: "delta", text: "b" }, 0)).toBe(streaming);
  expect(nextLiveAnswer(streaming, { type: "worker", worker }, 0)).toBe(streaming);
});
