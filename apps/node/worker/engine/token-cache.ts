/**
 * The tokens that llama.cpp has evaluated, in order, and the evaluation of more. Position n of the KV cache
 * always holds token n of {@link TokenCache.tokens}.
 *
 * @module
 */
import { EngineError } from "./engine-error.ts";
import type { AddonContext, AddonSampler } from "./llama-addon.ts";

export class TokenCache {
  readonly #context: AddonContext;
  readonly #batchTokens: number;
  /** Outside V8's heap, which moves and keeps what it held. */
  readonly #tokens: Uint32Array;
  #length = 0;
  /** Where the result of the last evaluated token is; what {@link sample} reads. */
  #logits = -1;

  /**
   * @param contextTokens how many the context has room for
   * @param batchTokens most tokens evaluated in one go, no more than the context was made for
   */
  constructor(context: AddonContext, contextTokens: number, batchTokens: number) {
    this.#context = context;
    this.#tokens = new Uint32Array(contextTokens);
    this.#batchTokens = batchTokens;
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets what does not begin `tokens`, and at least its last token, whose result is wanted again. */
  keepPrefixOf(tokens: readonly number[]): void {
    const most = Math.min(tokens.length - 1, this.length);
    let kept = 0;
    while (kept < most && this.#tokens[kept] === tokens[kept]) kept++;
    if (kept >= this.length) return;
    if (kept > 0 && this.#context.removeTokenCellsFromSequence(SEQUENCE, kept, this.length)) {
      this.#forgetFrom(kept);
    } else {
      // A recurrent model has one state, not one per token.
      this.clear();
    }
  }

  clear(): void {
    this.#context.disposeSequence(SEQUENCE);
    this.#forgetFrom(0);
  }

  /**
   * Evaluates `tokens` from where the cache ends.
   *
   * @returns false when `signal` stopped it between two batches
   * @throws {@link EngineError} `ERR_EVALUATION`
   */
  async fill(tokens: readonly number[], signal: AbortSignal): Promise<boolean> {
    while (this.length < tokens.length) {
      if (signal.aborted) return false;
      await this.append(tokens.slice(this.length, this.length + this.#batchTokens));
    }
    return true;
  }

  /** @throws {@link EngineError} `ERR_EVALUATION` */
  async append(tokens: readonly number[]): Promise<void> {
    const context = this.#context;
    try {
      context.initBatch(tokens.length);
      const lastOnly = Uint32Array.of(tokens.length - 1);
      const logits = context.addToBatch(SEQUENCE, this.length, Uint32Array.from(tokens), lastOnly);
      await context.decodeBatch();
      this.#logits = logits[0] ?? -1;
    } catch (cause) {
      // How much of the batch went in is unknown, so nothing is.
      this.clear();
      throw new EngineError("ERR_EVALUATION", "llama.cpp could not evaluate a batch", { cause });
    }
    this.#tokens.set(tokens, this.#length);
    this.#length += tokens.length;
  }

  #forgetFrom(kept: number): void {
    this.#tokens.fill(0, kept, this.#length);
    this.#length = kept;
  }

  /** @throws {@link EngineError} `ERR_EVALUATION` */
  async sample(sampler: AddonSampler): Promise<number> {
    const token = await this.#context.sampleToken(this.#logits, sampler);
    if (token === undefined || token < 0) {
      throw new EngineError("ERR_EVALUATION", "llama.cpp could not choose a token");
    }
    return token;
  }

  /**
   * The logits that the next token is chosen from, of `token` and of the `top` likeliest ones.
   *
   * @param sampler has nothing that changes a logit
   * @returns logits by token, and the logarithm that makes probabilities of them when it is subtracted
   * @throws {@link EngineError} `ERR_EVALUATION`
   */
  async logits(
    sampler: AddonSampler,
    token: number,
    top: number,
  ): Promise<{ logits: Map<number, number>; logTotal: number }> {
    // The likeliest is needed in any case: the total is relative to it.
    const wanted = [[token], false, false, false, Math.max(1, top)] as const;
    const [, , , pairs, total] = await this.#context.sampleToken(
      this.#logits,
      sampler,
      false,
      false,
      wanted,
      true,
    );
    if (pairs === undefined || total === undefined)
      throw new EngineError("ERR_EVALUATION", "llama.cpp told no logits");
    const logits = new Map<number, number>();
    for (let at = 0; at < pairs.length; at += 2) logits.set(pairs[at]!, pairs[at + 1]!);
    return { logits, logTotal: Math.max(...logits.values()) + Math.log(total) };
  }
}

/** One conversation, one sequence. */
const SEQUENCE = 0;
