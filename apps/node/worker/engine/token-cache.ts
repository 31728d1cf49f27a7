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
  #tokens: number[] = [];
  /** Where the result of the last evaluated token is; what {@link sample} reads. */
  #logits = -1;

  /** @param batchTokens most tokens evaluated in one go, no more than the context was made for */
  constructor(context: AddonContext, batchTokens: number) {
    this.#context = context;
    this.#batchTokens = batchTokens;
  }

  get length(): number {
    return this.#tokens.length;
  }

  /** Forgets what does not begin `tokens`, and at least its last token, whose result is wanted again. */
  keepPrefixOf(tokens: readonly number[]): void {
    let kept = 0;
    while (kept < tokens.length - 1 && this.#tokens[kept] === tokens[kept]) kept++;
    if (kept >= this.length) return;
    if (kept > 0 && this.#context.removeTokenCellsFromSequence(SEQUENCE, kept, this.length)) {
      this.#tokens.length = kept;
    } else {
      // A recurrent model has one state, not one per token.
      this.clear();
    }
  }

  clear(): void {
    this.#context.disposeSequence(SEQUENCE);
    this.#tokens = [];
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
    this.#tokens.push(...tokens);
  }

  /** @throws {@link EngineError} `ERR_EVALUATION` */
  async sample(sampler: AddonSampler): Promise<number> {
    const token = await this.#context.sampleToken(this.#logits, sampler);
    if (token === undefined || token < 0) {
      throw new EngineError("ERR_EVALUATION", "llama.cpp could not choose a token");
    }
    return token;
  }
}

/** One conversation, one sequence. */
const SEQUENCE = 0;
