/**
 * One model, one conversation: renders the prompt, reuses what llama.cpp has evaluated already, streams the answer.
 * It writes nothing to a disk or a console and knows nothing of sessions, records or sockets.
 *
 * @module
 */
import { AnswerText, TOKENS_BEFORE } from "./answer-text.ts";
import type { StopString } from "./answer-text.ts";
import type { ChatMessage, TemplateChoice } from "./chat-template.ts";
import { embedText, type Embedding } from "./embedding.ts";
import { EngineError } from "./engine-error.ts";
import { loadModel } from "./loaded-model.ts";
import type { LoadedModel, LoadOptions, TurnEndSigns } from "./loaded-model.ts";
import { Logprobs, type LogprobsWish } from "./logprobs.ts";
import { PromptTokens } from "./prompt-tokens.ts";
import { checkSampling, grammarStart, samplerConfig, withRepeatPenalty } from "./sampling.ts";
import type { Sampling } from "./sampling.ts";

export type { ChatMessage } from "./chat-template.ts";
export { EngineError, PromptTooLongError } from "./engine-error.ts";
export type { LoadOptions } from "./loaded-model.ts";
export type { Sampling } from "./sampling.ts";

export type TurnEnd = "stop" | "stop-string" | "length" | "context-full" | "aborted";

export interface TurnResult {
  readonly reason: TurnEnd;
  /** Of the whole prompt as the model sees it. */
  readonly promptTokens: number;
  /** Of those, how many the KV cache held already. */
  readonly reusedTokens: number;
  readonly completionTokens: number;
  /** `null` when the turn was stopped before it got there. */
  readonly promptMs: number | null;
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
}

export class Engine {
  readonly #loaded: LoadedModel;
  readonly #promptTokens: PromptTokens;
  readonly #disposal = new AbortController();
  #running: Promise<unknown> | undefined;

  private constructor(loaded: LoadedModel) {
    this.#loaded = loaded;
    this.#promptTokens = new PromptTokens(loaded);
  }

  /** @throws {@link EngineError} `ERR_ENGINE_MISSING`, `ERR_MODEL_UNUSABLE` or `ERR_OUT_OF_MEMORY` */
  static async load(options: LoadOptions): Promise<Engine> {
    return new Engine(await loadModel(options));
  }

  get threads(): number {
    return this.#loaded.threads;
  }

  /** As asked for, or fewer when the model was trained on fewer. */
  get contextTokens(): number {
    return this.#loaded.contextTokens;
  }

  get modelName(): string {
    return this.#loaded.name;
  }

  /**
   * Answers the last message of `history`. The start of the conversation is never dropped to make room.
   *
   * @param history all messages before the answer; the last is the user's
   * @param onText gets the answer in pieces of whole characters, as soon as each is certain
   * @param signal ends the turn, not the conversation: put the text so far into the next history
   * @param logprobs asks what the model thought of each token of the answer; the one that ends it is not told
   * @throws {@link EngineError} `ERR_PROMPT_TOO_LONG` (a {@link PromptTooLongError}), `ERR_CONVERSATION`,
   *   `ERR_SAMPLING`, `ERR_BUSY` or `ERR_EVALUATION`
   */
  async answer(
    history: readonly ChatMessage[],
    sampling: Sampling,
    onText: (text: string) => void,
    signal: AbortSignal,
    template: TemplateChoice = "model",
    logprobs?: LogprobsWish,
  ): Promise<TurnResult> {
    checkSampling(sampling);
    const ending = AbortSignal.any([signal, this.#disposal.signal]);
    return this.#alone(() => this.#answer(history, sampling, onText, ending, template, logprobs));
  }

  /**
   * How many tokens the prompt of a turn has. Nothing is evaluated.
   *
   * @throws {@link EngineError} `ERR_PROMPT_TOO_LONG` or `ERR_CONVERSATION`
   */
  countTokens(history: readonly ChatMessage[], template: TemplateChoice): number {
    return this.#promptTokens.of(history, template).tokens.length;
  }

  /**
   * Where a text lies in the model's space. What was said and evaluated before stays as it is.
   *
   * @throws {@link EngineError} `ERR_PROMPT_TOO_LONG`, `ERR_OUT_OF_MEMORY`, `ERR_BUSY` or `ERR_EVALUATION`
   */
  async embed(text: string): Promise<Embedding> {
    return this.#alone(() => embedText(this.#loaded, text));
  }

  async #alone<T>(compute: () => Promise<T>): Promise<T> {
    if (this.#running !== undefined || this.#disposal.signal.aborted)
      throw new EngineError("ERR_BUSY", "the engine is answering already, or disposed");
    const running = compute();
    this.#running = running;
    try {
      return await running;
    } finally {
      this.#running = undefined;
    }
  }

  /** Makes the next answer begin as the first one did: empties the KV cache. Not during an answer. */
  forget(): void {
    this.#promptTokens.forget();
    this.#loaded.cache.clear();
  }

  /** Ends a running answer, then frees the context with its KV cache, and the model. */
  async dispose(): Promise<void> {
    if (this.#disposal.signal.aborted) return;
    this.#disposal.abort();
    await this.#running?.catch(() => undefined);
    this.forget();
    await this.#loaded.context.dispose();
    await this.#loaded.model.dispose();
  }

  async #answer(
    history: readonly ChatMessage[],
    sampling: Sampling,
    onText: (text: string) => void,
    signal: AbortSignal,
    template: TemplateChoice,
    wish: LogprobsWish | undefined,
  ): Promise<TurnResult> {
    const startMs = performance.now();
    const { cache, addon, model, tokenizer, contextTokens, temperature } = this.#loaded;
    const isChat = template === "model";
    const turnEnd = isChat ? this.#loaded.turnEnd : NO_TURNS;
    const grammar = grammarStart(addon, model, sampling);
    const { tokens: prompt, opensThought } = this.#promptTokens.of(history, template);

    cache.keepPrefixOf(prompt);
    const counts = { promptTokens: prompt.length, reusedTokens: cache.length };
    const isFilled = await cache.fill(prompt, signal);
    const promptMs = isFilled ? performance.now() - startMs : null;
    let firstTokenMs: number | null = null;
    const answer: number[] = [];

    const callerStops = (sampling.stop ?? []).map((text): StopString => ({ text, from: "caller" }));
    const stops = [...callerStops, ...turnEnd.strings];
    const decode = tokenizer.text.bind(tokenizer);
    const text = new AnswerText(decode, prompt, stops, onText, !isChat);
    // The template began the thought itself, so the model will not say that it did. A grammar has no thought in it.
    if (opensThought && isChat && isFilled && !grammar) onText("<think>\n");

    const sampler = new addon.AddonSampler(model);
    const logprobs = wish && new Logprobs(this.#loaded, wish);
    try {
      const config = {
        ...samplerConfig(sampling, temperature),
        ...(grammar && { grammarEvaluationState: grammar }),
      };
      const next = (): Promise<number> => {
        sampler.applyConfig(withRepeatPenalty(config, sampling, answer));
        return cache.sample(sampler);
      };
      const reason = isFilled ? await generate() : "aborted";
      text.finish();
      if (!opensThought) this.#promptTokens.remember(text.text, answer.slice(0, text.exactTokens));
      const totalMs = performance.now() - startMs;
      return {
        reason,
        ...counts,
        completionTokens: answer.length,
        promptMs,
        firstTokenMs,
        totalMs,
      };

      async function generate(): Promise<TurnEnd> {
        for (;;) {
          if (signal.aborted) return "aborted";
          const token = await next();
          firstTokenMs ??= performance.now() - startMs;
          if (tokenizer.isEnd(token) || turnEnd.tokens.has(token)) return "stop";
          await logprobs?.tell(token, lastOf(prompt, answer));
          answer.push(token);
          const stop = text.add(token);
          if (stop !== undefined) return stop.from === "caller" ? "stop-string" : "stop";
          if (answer.length === sampling.maxTokens) return "length";
          if (cache.length >= contextTokens) return "context-full";
          await cache.append([token]);
        }
      }
    } finally {
      sampler.dispose();
      logprobs?.dispose();
    }
  }
}

/** The tokens just before the next one. */
function lastOf(prompt: readonly number[], answer: readonly number[]): number[] {
  const last = answer.slice(-TOKENS_BEFORE);
  return last.length < TOKENS_BEFORE ? [...prompt, ...last].slice(-TOKENS_BEFORE) : last;
}

/** A text that is continued has no turns. */
const NO_TURNS: TurnEndSigns = { tokens: new Set(), strings: [] };
