/**
 * What a device and a worker say to each other in a task session.
 *
 * Stream 0 belongs to the session: open, stop, end. Every turn and attachment opens the next higher
 * stream, and the device ends its side of it at once, so that nothing it sends later tells when an
 * answer was over.
 * Specified in PROTOCOL.md, section 5.3.
 *
 * @module
 */
import { z } from "zod";

/** First byte of every message. Requests are below 0x80, answers above. */
export const TaskKind = {
  open: 0x01,
  attach: 0x02,
  turn: 0x03,
  stop: 0x04,
  end: 0x05,
  embed: 0x06,
  count: 0x07,
  opened: 0x81,
  attached: 0x82,
  delta: 0x83,
  finish: 0x84,
  refused: 0x85,
  closing: 0x86,
  embedded: 0x87,
  logprobs: 0x88,
  counted: 0x89,
} as const;

/** Tokens: more than any context has. */
export const MAX_TOKENS_PER_ANSWER = 1_000_000;

/** More is no answer any more; the interfaces that ask for it have the same limit. */
export const MAX_TOP_LOGPROBS = 20;

const text = z.string();
const chatMessageSchema = z.strictObject({
  role: z.enum(["system", "user", "assistant"]),
  text,
});

export type ChatMessage = z.infer<typeof chatMessageSchema>;

/** How a model chooses tokens; what is left out is the node's default. */
export const samplingSchema = z.strictObject({
  /** 0 takes the likeliest token always. */
  temperature: z.number().min(0).max(5).exactOptional(),
  topP: z.number().min(0).max(1).exactOptional(),
  topK: z.int().min(0).max(100_000).exactOptional(),
  minP: z.number().min(0).max(1).exactOptional(),
  /** llama.cpp takes 2^32 - 1 as "any". */
  seed: z.int().min(0).max(4_294_967_294).exactOptional(),
  repeatPenalty: z.number().min(0.01).max(5).exactOptional(),
  maxTokens: z.int().min(1).max(MAX_TOKENS_PER_ANSWER).exactOptional(),
  /** The answer ends before the first of these. */
  stop: z.array(z.string().min(1).max(256)).max(16).exactOptional(),
  /** GBNF: no answer is of another form. */
  grammar: z.string().min(1).max(65_536).exactOptional(),
});

export type Sampling = z.infer<typeof samplingSchema>;

export const openSchema = z.strictObject({
  /** conversation: the process lives until ended or idle. turn: it ends after one answer. */
  mode: z.enum(["conversation", "turn"]),
  /** Equal records on a fixed tick; `false` is for measuring and shows an answer's shape. */
  steady: z.boolean(),
  /** What was said before, on another worker; a system message may stand first. */
  history: z.array(chatMessageSchema).max(10_000),
  /** none: texts follow each other as they are, for a model that continues them; absent: the model's own. */
  template: z.enum(["model", "none"]).exactOptional(),
});

export type OpenRequest = z.infer<typeof openSchema>;

/** Stands before an attachment's bytes, after its own length in 2 bytes. */
export const attachHeaderSchema = z.strictObject({
  name: z.string().min(1).max(255),
});

export type AttachHeader = z.infer<typeof attachHeaderSchema>;

export const turnSchema = z.strictObject({
  text,
  /** How many messages of the conversation stay, from its start; the rest is forgotten. */
  keep: z.int().nonnegative().exactOptional(),
  /** Streams of attachments to read with this turn. */
  attachments: z.array(z.int().min(1).max(65_535)).max(16).exactOptional(),
  sampling: samplingSchema.exactOptional(),
  /** How likely each token was is told, and so many of the likeliest beside it; nothing where it is left out. */
  logprobs: z.int().min(0).max(MAX_TOP_LOGPROBS).exactOptional(),
});

export type TurnRequest = z.infer<typeof turnSchema>;

/** Asks for the place of a text in the model's space. */
export const embedSchema = z.strictObject({ text: text.min(1) });

export type EmbedRequest = z.infer<typeof embedSchema>;

export const embeddedSchema = z.strictObject({
  /** Of the text, as the model sees it. */
  tokens: z.int().positive(),
  /** Base64 of 32-bit floats, little-endian, of length 1 together; 65,536 of them at most. */
  vector: z.base64().min(1).max(349_528),
});

export type Embedded = z.infer<typeof embeddedSchema>;

/** Asks how many tokens the prompt of a turn would have. */
export const countSchema = turnSchema.pick({ text: true, keep: true });

export type CountRequest = z.infer<typeof countSchema>;

export const countedSchema = z.strictObject({ promptTokens: z.int().positive() });

export const openedSchema = z.strictObject({
  model: z.string(),
  contextTokens: z.int().positive(),
  threads: z.int().positive(),
  idleTimeoutMs: z.int().positive(),
});

export type Opened = z.infer<typeof openedSchema>;

export const attachedSchema = z.strictObject({ bytes: z.int().nonnegative() });

export const finishSchema = z.strictObject({
  reason: z.enum(["stop", "stop-string", "length", "context-full", "stopped"]),
  usage: z.strictObject({
    promptTokens: z.int().nonnegative(),
    /** Of those, found in the conversation's memory and not computed again. */
    reusedTokens: z.int().nonnegative(),
    completionTokens: z.int().nonnegative(),
  }),
  /** Milliseconds as the worker measured them; `null` where a stop came first. */
  timings: z.strictObject({
    promptMs: z.number().nonnegative().nullable(),
    firstTokenMs: z.number().nonnegative().nullable(),
    totalMs: z.number().nonnegative(),
  }),
});

export type Finish = z.infer<typeof finishSchema>;

/** Why one request was refused; the session goes on. */
export const taskRefusals = [
  /** Not UTF-8: send text. */
  "ERR_INVALID_UTF8",
  /** Not of its schema: update the client. */
  "ERR_INVALID_MESSAGE",
  /** The prompt does not fit the model's context: shorten it. */
  "ERR_PROMPT_TOO_LONG",
  /** An answer is under way: stop it first. */
  "ERR_BUSY",
  /** An attachment that this turn names is not there. */
  "ERR_ATTACHMENT_UNKNOWN",
  /** Attachments together exceed their limit. */
  "ERR_LIMIT",
  /** The model could not answer: try another model or less context. */
  "ERR_MODEL_FAILED",
] as const;

export const refusedSchema = z.strictObject({
  code: z.enum(taskRefusals),
  /** For people; names sizes and fields, never content. */
  message: z.string().max(300),
});

export type Refused = z.infer<typeof refusedSchema>;

export const closingSchema = z.strictObject({
  reason: z.enum(["ended", "turn-done", "idle", "hard-limit"]),
});

export type Closing = z.infer<typeof closingSchema>;
