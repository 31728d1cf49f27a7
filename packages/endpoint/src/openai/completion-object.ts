/**
 * What chat completions and completions have in common in their answers.
 *
 * @module
 */
import type { Finish, Model } from "@phantoma/protocol";
import { newId } from "../exchange/new-id.ts";

/** Of the model's SHA-256: an eye tells two models apart. */
const FINGERPRINT_CHARS = 12;

/** What stands in each part of an answer. */
export function headOf(prefix: string, model: Model): object {
  return {
    id: newId(prefix),
    created: Math.floor(Date.now() / 1000),
    model: model.name,
    system_fingerprint: `fp_${model.digest.slice(0, FINGERPRINT_CHARS)}`,
  };
}

export function isCut({ reason }: Finish): boolean {
  return reason === "length" || reason === "context-full";
}

/** The prompt is one, however many answers it had. */
export function usageOf(finishes: readonly Finish[]): object {
  const { promptTokens = 0, reusedTokens = 0 } = finishes[0]?.usage ?? {};
  const completion = finishes.reduce((sum, { usage }) => sum + usage.completionTokens, 0);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completion,
    total_tokens: promptTokens + completion,
    prompt_tokens_details: { cached_tokens: reusedTokens },
  };
}
