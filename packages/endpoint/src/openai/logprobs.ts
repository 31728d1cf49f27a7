/**
 * How likely tokens were, as chat completions and responses write it.
 *
 * Source: OpenAI API reference, `logprobs` of "The chat completion object".
 *
 * @module
 */
import { MAX_TOP_LOGPROBS, type Likely, type TokenLogprob } from "@phantoma/protocol";
import { z } from "zod";

/** How many of the likeliest are told at each place. */
export const topField = z.int().min(0).max(MAX_TOP_LOGPROBS).exactOptional();

export interface LogprobObject {
  readonly token: string;
  /** In UTF-8; `null` where a token is a piece of a character, which has no text of its own. */
  readonly bytes: readonly number[] | null;
  readonly logprob: number;
}

export function logprobObject({ top, ...token }: TokenLogprob) {
  return { ...objectOf(token), top_logprobs: top.map(objectOf) };
}

function objectOf({ token, logprob }: Likely): LogprobObject {
  const bytes = token.includes("\uFFFD") ? null : [...Buffer.from(token, "utf8")];
  return { token, bytes, logprob };
}
