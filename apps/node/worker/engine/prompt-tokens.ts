/**
 * The tokens of a whole conversation. Earlier answers go back in as the very tokens the model chose, since their
 * text could be cut into other tokens, and the KV cache would be of use only up to the first difference.
 *
 * Like the KV cache they say what was said, and are overwritten with it; no text is kept beside them.
 *
 * @module
 */
import { createHmac, randomBytes } from "node:crypto";
import type { ChatMessage, PromptPart, TemplateChoice } from "./chat-template.ts";
import { EngineError, PromptTooLongError } from "./engine-error.ts";
import type { LoadedModel } from "./loaded-model.ts";

export class PromptTokens {
  readonly #loaded: LoadedModel;
  /** By a digest of the answer, under a key of this process: the answer itself is not kept. */
  readonly #answers = new Map<string, Uint32Array>();
  readonly #digestKey = randomBytes(32);

  constructor(loaded: LoadedModel) {
    this.#loaded = loaded;
  }

  /** @throws {@link EngineError} `ERR_CONVERSATION` or `ERR_PROMPT_TOO_LONG` */
  of(
    history: readonly ChatMessage[],
    template: TemplateChoice,
  ): {
    readonly tokens: number[];
    readonly opensThought: boolean;
  } {
    if (history.at(-1)?.role !== "user") {
      throw new EngineError("ERR_CONVERSATION", "the last message has to be the user's");
    }
    this.#refuseHopeless(history);
    const { tokenizer } = this.#loaded;
    const parts = template === "none" ? asTheyAre(history) : this.#loaded.template.prompt(history);
    const tokens: number[] = [];
    for (const part of parts) {
      for (const token of this.#partTokens(part, tokens.length === 0)) tokens.push(token);
    }
    const { begin } = tokenizer;
    if (begin !== undefined && tokens[0] !== begin) tokens.unshift(begin);
    this.#refuseOver(tokens.length);
    return { tokens, opensThought: /<think>\s*$/.test(parts.at(-1)?.text ?? "") };
  }

  remember(answer: string, tokens: readonly number[]): void {
    if (answer === "" || tokens.length === 0) return;
    this.#answers.set(this.#digest(answer), Uint32Array.from(tokens));
  }

  forget(): void {
    for (const tokens of this.#answers.values()) tokens.fill(0);
    this.#answers.clear();
  }

  #digest(answer: string): string {
    return createHmac("sha256", this.#digestKey).update(answer, "utf8").digest("base64");
  }

  #partTokens(part: PromptPart, isFirst: boolean): Iterable<number> {
    if (part.kind === "content" && part.role === "assistant") {
      const chosen = this.#answers.get(this.#digest(part.text));
      if (chosen !== undefined) return chosen;
    }
    return this.#loaded.tokenizer.tokens(part.text, part.kind, isFirst);
  }

  /** Cutting up 10 MB of text takes seconds in which nothing else runs; that it is too long shows at once. */
  #refuseHopeless(history: readonly ChatMessage[]): void {
    const bytes = history.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    this.#refuseOver(Math.ceil(bytes / this.#loaded.longestTokenBytes));
  }

  #refuseOver(promptTokens: number): void {
    const limitTokens = this.#loaded.contextTokens - MIN_ANSWER_TOKENS;
    if (promptTokens > limitTokens) throw new PromptTooLongError(promptTokens, limitTokens);
  }
}

function asTheyAre(history: readonly ChatMessage[]): PromptPart[] {
  return history.map(({ role, text }) => ({ kind: "content", role, text }));
}

/** A prompt that leaves less than this is refused: an answer of a word is no answer. */
const MIN_ANSWER_TOKENS = 16;
