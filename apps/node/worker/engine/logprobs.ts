/**
 * How likely the model itself found each token of an answer, and what it found likeliest there: natural logarithms of
 * probabilities over its whole vocabulary, before temperature, cuts, penalties and grammar.
 *
 * @module
 */
import { LEAST_LOGPROB, type Likely, type TokenLogprob } from "@phantoma/protocol";
import type { AddonSampler } from "./llama-addon.ts";
import type { LoadedModel } from "./loaded-model.ts";

/** What a caller wants to be told of an answer's tokens. */
export interface LogprobsWish {
  /** How many of the likeliest are told beside each token. */
  readonly top: number;
  /** Gets each token before its text is given. */
  readonly onToken: (token: TokenLogprob) => void;
}

/** Reads the logits that the next token is chosen from; it costs a pass over the vocabulary. */
export class Logprobs {
  readonly #loaded: LoadedModel;
  readonly #wish: LogprobsWish;
  /** Takes the likeliest token, and so leaves all logits as the model gave them. */
  readonly #untouched: AddonSampler;

  constructor(loaded: LoadedModel, wish: LogprobsWish) {
    this.#loaded = loaded;
    this.#wish = wish;
    this.#untouched = new loaded.addon.AddonSampler(loaded.model);
    this.#untouched.applyConfig({ temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 });
  }

  /**
   * Tells of a token that was chosen and not yet evaluated.
   *
   * @param before the tokens just before, which decide whether its text begins with a space
   * @throws `EngineError` `ERR_EVALUATION`
   */
  async tell(token: number, before: readonly number[]): Promise<void> {
    const { cache, tokenizer } = this.#loaded;
    const { logits, logTotal } = await cache.logits(this.#untouched, token, this.#wish.top);
    const likely = (of: number): Likely => ({
      token: tokenizer.shown(before, of),
      logprob: clamped((logits.get(of) ?? -Infinity) - logTotal),
    });
    const likeliest = [...logits].sort(([, one], [, other]) => other - one);
    const top = likeliest.slice(0, this.#wish.top).map(([of]) => likely(of));
    this.#wish.onToken({ ...likely(token), top });
  }

  dispose(): void {
    this.#untouched.dispose();
  }
}

function clamped(logprob: number): number {
  return Math.max(LEAST_LOGPROB, Math.min(0, Math.round(logprob * PRECISION) / PRECISION));
}

/** Six digits: more than a 32-bit float of this size has. */
const PRECISION = 1e6;
