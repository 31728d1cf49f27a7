/**
 * What a worker says of one token of an answer: how likely the model found it, and what it found likeliest there.
 *
 * Each message is filled up with spaces, so that its size says how many were asked for, and hardly what they are.
 * Specified in PROTOCOL.md, section 5.3.
 *
 * @module
 */
import { z } from "zod";
import { decodeJson, encodeJson } from "./json-message.ts";
import { MAX_TOP_LOGPROBS, TaskKind } from "./task-messages.ts";

/** Stands for "never": JSON has no infinity. */
export const LEAST_LOGPROB = -9999;

/** What a token of ordinary length takes, in bytes of JSON. */
const BYTES_PER_TOKEN = 32;

export interface Likely {
  /** Its text, with U+FFFD where it is a piece of a character; a control token's name. */
  readonly token: string;
  /** Natural logarithm of its probability. */
  readonly logprob: number;
}

export interface TokenLogprob extends Likely {
  /** The likeliest first. */
  readonly top: readonly Likely[];
}

const likelySchema = z.tuple([z.string(), z.number().min(LEAST_LOGPROB).max(0)]);

/** The token itself, then the likeliest ones. */
const logprobsSchema = z
  .tuple([likelySchema], likelySchema)
  .refine(({ length }) => length <= 1 + MAX_TOP_LOGPROBS);

/** @param wanted how many of the likeliest the turn asked for, whether the vocabulary has them or not */
export function encodeLogprobs({ top, ...token }: TokenLogprob, wanted: number): Buffer {
  const pairs = [token, ...top].map(({ token: text, logprob }) => [text, logprob]);
  const message = encodeJson(TaskKind.logprobs, pairs);
  const step = BYTES_PER_TOKEN * (1 + wanted);
  const filled = Buffer.alloc(Math.ceil(message.length / step) * step, " ");
  message.copy(filled);
  message.fill(0);
  return filled;
}

/** @throws `ProtocolError` `ERR_INVALID_UTF8` or `ERR_INVALID_MESSAGE` */
export function decodeLogprobs(untrusted: Uint8Array): TokenLogprob {
  const [first, ...rest] = decodeJson(logprobsSchema, untrusted);
  return { ...likelyOf(first), top: rest.map(likelyOf) };
}

function likelyOf([token, logprob]: z.infer<typeof likelySchema>): Likely {
  return { token, logprob };
}
