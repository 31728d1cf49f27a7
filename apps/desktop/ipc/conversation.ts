/**
 * A conversation as the page sees it: a tree of messages, a head, a draft, and its worker's state.
 *
 * Conversations live in the console's memory only. Closing the console forgets them.
 *
 * @module
 */
import { z } from "zod";
import { consoleErrorSchema } from "./console-error.ts";
import { clientCodes } from "./error-codes.ts";
import { hex32Schema, timeSchema } from "./node.ts";

/** Characters of one message; larger material belongs into an attachment. */
export const MAX_TEXT_CHARS = 1_000_000;

/** Characters of a conversation's name. */
export const MAX_TITLE_CHARS = 120;

/** A random name that the console gives; the page never makes one. */
export const idSchema = z.string().regex(/^[0-9a-f]{16}$/);

export const metricsSchema = z.strictObject({
  tokens: z.int().nonnegative(),
  tokensPerSecond: z.number().nonnegative().nullable(),
  /** From asking to the first text, by this machine's clock, in milliseconds. */
  firstTokenMs: z.number().nonnegative().nullable(),
  /** Of that, what queue, tunnel and steady pace added to the model's own time. */
  addedMs: z.number().nonnegative().nullable(),
});

export const messageSchema = z.strictObject({
  id: idSchema,
  /** `null` for a first message; several messages of one parent are branches. */
  parent: idSchema.nullable(),
  role: z.enum(["user", "assistant"]),
  text: z.string(),
  /**
   * complete: its end was authenticated · stopped: by this person, or the page went away ·
   * cut: the connection broke and text may be missing · failed: there is no answer; see `errorCode`
   */
  state: z.enum(["streaming", "complete", "stopped", "cut", "failed"]),
  metrics: metricsSchema.nullable(),
  createdAt: timeSchema,
  /** Why it was cut or failed. */
  errorCode: z.enum([...clientCodes, "ERR_INTERNAL", "ERR_NOT_CONFIRMED"]).nullable(),
  /** Why the model ended, where it did. */
  finishReason: z.enum(["stop", "stop-string", "length", "context-full", "stopped"]).nullable(),
});

/**
 *   none ──answer──> connecting ──note──> queued ──assigned──> live ──idle, end, cut──> ended
 *    ended ──answer──> connecting: a new worker is told the history
 */
export const workerSchema = z.strictObject({
  state: z.enum(["none", "connecting", "queued", "live", "ended"]),
  /** 1 means next; only in `queued`. A hint of the gateway that nobody vouches for. */
  queuePosition: z.int().positive().nullable(),
  /** When the worker is wiped if nothing is asked; `null` while it answers. */
  idleDeadline: timeSchema.nullable(),
  /** The name of its receipt. */
  task: hex32Schema.nullable(),
  /** Why it ended. lost: the connection broke; the node wipes it all the same. */
  endReason: z.enum(["ended", "turn-done", "idle", "hard-limit", "lost"]).nullable(),
});

const summary = {
  id: idSchema,
  nodeId: hex32Schema,
  model: z.strictObject({ digest: hex32Schema, name: z.string().max(255) }),
  /** conversation: the worker waits for the next message · turn: one worker for each answer */
  mode: z.enum(["conversation", "turn"]),
  /** Empty until the first message or a rename. */
  title: z.string().max(MAX_TITLE_CHARS),
  createdAt: timeSchema,
  updatedAt: timeSchema,
  worker: workerSchema,
};

export const conversationSummarySchema = z.strictObject({
  ...summary,
  messageCount: z.int().nonnegative(),
});

export const conversationSchema = z.strictObject({
  ...summary,
  /** In the order they were made. A parent always stands before its children. */
  messages: z.array(messageSchema),
  /** The message at the end of the branch that is shown. */
  head: idSchema.nullable(),
  draft: z.string(),
});

const text = z.string().min(1).max(MAX_TEXT_CHARS);

export const answerInputSchema = z.union([
  /** Asks. Another child of an old parent is an edit: it begins a branch. */
  z.strictObject({ conversation: idSchema, parent: idSchema.nullable(), text }),
  /** Answers again. Names an answer, or a question that has none. */
  z.strictObject({ conversation: idSchema, regenerate: idSchema }),
]);

export const answerEventSchema = z.discriminatedUnion("type", [
  /** First. Both messages are in the tree and the answer is its head; `question` is null on regenerate. */
  z.strictObject({
    type: z.literal("started"),
    question: messageSchema.nullable(),
    answer: messageSchema,
  }),
  z.strictObject({ type: z.literal("queued"), position: z.int().positive() }),
  /** Connecting failed in a way that may pass; it is tried again after the delay. */
  z.strictObject({
    type: z.literal("retrying"),
    error: consoleErrorSchema,
    delayMs: z.int().nonnegative(),
  }),
  z.strictObject({ type: z.literal("worker"), worker: workerSchema }),
  z.strictObject({ type: z.literal("delta"), text: z.string() }),
  /** All text has arrived; its end is authenticated only by `end`. */
  z.strictObject({ type: z.literal("finish"), answer: messageSchema }),
  /** Last, when all went well or was stopped here. */
  z.strictObject({ type: z.literal("end"), answer: messageSchema }),
  /** Last, when it did not. `answer` holds what arrived. */
  z.strictObject({
    type: z.literal("error"),
    error: consoleErrorSchema,
    answer: messageSchema.nullable(),
  }),
]);

export type Metrics = z.infer<typeof metricsSchema>;
export type Message = z.infer<typeof messageSchema>;
export type Worker = z.infer<typeof workerSchema>;
export type ConversationSummary = z.infer<typeof conversationSummarySchema>;
export type Conversation = z.infer<typeof conversationSchema>;
export type AnswerInput = z.infer<typeof answerInputSchema>;
export type AnswerEvent = z.infer<typeof answerEventSchema>;
