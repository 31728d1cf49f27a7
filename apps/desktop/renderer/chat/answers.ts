/**
 * The answers that this page hears right now, outside React: text arrives up to hundreds of times a
 * second, and only the one message that grows is drawn again, at most once for each frame.
 *
 * @module
 */
import type { QueryClient } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore } from "react";
import type {
  AnswerEvent,
  AnswerInput,
  ConsoleError,
  Conversation,
  Message,
} from "../../ipc/contract.ts";
import { bridge } from "../app/bridge.ts";
import { keys } from "../app/queries.ts";
import { asking, nextLiveAnswer, type LiveAnswer } from "./live-answer.ts";
import { withMessage } from "./message-tree.ts";

interface Running {
  /** Changes a few times in an answer. */
  live: LiveAnswer;
  /** Changes with each frame, and only one message listens to it. */
  text: string;
  /** Not yet drawn. */
  pieces: string[];
  wasStoppedHere: boolean;
  close: () => void;
}

const running = new Map<string, Running>();
const listeners = new Set<() => void>();

export const isAnswering = (conversation: string) => running.has(conversation);

export function useLiveAnswer(conversation: string): LiveAnswer | undefined {
  return useSyncExternalStore(listen, () => running.get(conversation)?.live);
}

/** Text of one message that grows; undefined for every other, so that those are not drawn again. */
export function useLiveText(conversation: string, message: string): string | undefined {
  const read = useCallback(() => {
    const at = running.get(conversation);
    return at?.live.answerId === message ? at.text : undefined;
  }, [conversation, message]);
  return useSyncExternalStore(listen, read);
}

export interface AnswerOutcome {
  readonly answer: Message | null;
  readonly error: ConsoleError | null;
  /** Both messages are in the conversation; otherwise nothing was asked. */
  readonly wasStarted: boolean;
}

/** Asks, and keeps the cached conversation true while the answer arrives. Never rejects. */
export function startAnswer(client: QueryClient, input: AnswerInput): Promise<AnswerOutcome> {
  const { conversation } = input;
  return new Promise((resolve) => {
    let outcome: AnswerOutcome = { answer: null, error: null, wasStarted: false };
    const change = (message: Message | null, head?: string) =>
      client.setQueryData<Conversation>(
        keys.conversation(conversation),
        (old) =>
          old && {
            ...old,
            ...(message && { messages: withMessage(old.messages, message) }),
            ...(head && { head }),
          },
      );
    const at: Running = {
      live: asking,
      text: "",
      pieces: [],
      wasStoppedHere: false,
      close: () => undefined,
    };
    let hasEnded = false;
    const onEvent = (event: AnswerEvent) => {
      if (event.type === "started") {
        outcome = { ...outcome, answer: event.answer, wasStarted: true };
        change(event.question);
        change(event.answer, event.answer.id);
      } else if (event.type === "end" || event.type === "error") {
        hasEnded = true;
        const error = event.type === "error" ? event.error : null;
        outcome = { ...outcome, answer: event.answer ?? outcome.answer, error };
        change(event.answer);
      } else if (event.type === "worker") {
        client.setQueryData<Conversation>(
          keys.conversation(conversation),
          (old) => old && { ...old, worker: event.worker },
        );
      }
      at.live = nextLiveAnswer(at.live, event, Date.now());
      if (event.type === "delta") at.pieces.push(event.text);
      if (event.type === "started" || event.type === "finish") {
        // It carries all text, also what was not yet drawn.
        at.text = event.answer.text;
        at.pieces = [];
      }
      draw();
    };
    const onClosed = () => {
      running.delete(conversation);
      if (!hasEnded && outcome.answer) {
        const text = at.text + at.pieces.join("");
        change({ ...outcome.answer, text, state: at.wasStoppedHere ? "stopped" : "cut" });
      }
      // What was said after the page stopped listening, and the title that came with the first answer.
      void client.invalidateQueries({ queryKey: keys.conversation(conversation) });
      void client.invalidateQueries({ queryKey: keys.conversations });
      tellListeners();
      resolve(outcome);
    };
    running.set(conversation, at);
    at.close = bridge.openStream("chat.answer", input, onEvent, onClosed);
    tellListeners();
  });
}

/** Closing the stream is Stop. */
export function stopAnswer(conversation: string): void {
  const at = running.get(conversation);
  if (!at) return;
  at.wasStoppedHere = true;
  at.close();
}

let lastDrawnAt = 0;
let isDrawing = false;

/** Faster than this no reader sees, and the rest of the frame stays free. */
const DRAW_EVERY_MS = 33;

function draw(): void {
  if (isDrawing) return;
  isDrawing = true;
  const step = (now: number) => {
    if (now - lastDrawnAt < DRAW_EVERY_MS) {
      requestAnimationFrame(step);
      return;
    }
    lastDrawnAt = now;
    isDrawing = false;
    for (const answer of running.values()) {
      if (answer.pieces.length === 0) continue;
      answer.text += answer.pieces.join("");
      answer.pieces = [];
    }
    tellListeners();
  };
  requestAnimationFrame(step);
}

function tellListeners(): void {
  for (const listener of listeners) listener();
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
