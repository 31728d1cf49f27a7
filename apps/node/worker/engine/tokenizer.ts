/**
 * Text to tokens and back, as the model at hand does it.
 *
 * @module
 */
import { CONTROL_TOKEN_ATTRIBUTE } from "./llama-addon.ts";
import type { AddonModel } from "./llama-addon.ts";

export class Tokenizer {
  readonly #model: AddonModel;
  readonly #newline: Uint32Array;

  constructor(model: AddonModel) {
    this.#model = model;
    this.#newline = model.tokenize("\n", false);
  }

  /** The model's begin-of-text token, if texts of this model begin with one. */
  get begin(): number | undefined {
    const token = this.#model.tokenBos();
    return token >= 0 && this.#model.shouldPrependBosToken() ? token : undefined;
  }

  get beginText(): string {
    return this.#spelling(this.#model.tokenBos());
  }

  get endText(): string {
    return this.#spelling(this.#model.tokenEos());
  }

  /**
   * @param kind `template` reads the names of control tokens as control tokens; `content` reads them as plain
   *   text, so nobody can type the end of a turn
   * @param isFirst nothing comes before this text
   */
  tokens(text: string, kind: "template" | "content", isFirst: boolean): Uint32Array {
    if (text === "") return new Uint32Array();
    const isTemplate = kind === "template";
    if (isFirst) return this.#model.tokenize(text, isTemplate);
    // SentencePiece vocabularies put a space before the first word of a text, and this one is no first word.
    const tokens = this.#model.tokenize(`\n${text}`, isTemplate);
    const newline = this.#newline;
    if (newline.every((token, index) => token === tokens[index]))
      return tokens.subarray(newline.length);
    // The newline merged with the text, which the vocabularies with that space never do.
    return this.#model.tokenize(text, isTemplate);
  }

  /**
   * @param before the tokens just before, which decide whether the text begins with a space
   * @returns the text, with U+FFFD for a character that is not complete
   */
  text(before: readonly number[], tokens: readonly number[]): string {
    const start = this.#model.detokenize(Uint32Array.from(before), false);
    const all = this.#model.detokenize(Uint32Array.from([...before, ...tokens]), false);
    if (all.startsWith(start)) return all.slice(start.length);
    return this.#model.detokenize(Uint32Array.from(tokens), false);
  }

  /** One token for people: its text, or the name of a control token, which has none. */
  shown(before: readonly number[], token: number): string {
    return this.text(before, [token]) || this.#spelling(token);
  }

  /** Whether the model says with this token that it is done. */
  isEnd(token: number): boolean {
    return this.#model.isEogToken(token);
  }

  isControl(token: number): boolean {
    return (this.#model.getTokenAttributes(token) & CONTROL_TOKEN_ATTRIBUTE) !== 0;
  }

  #spelling(token: number): string {
    return token < 0 ? "" : this.#model.getTokenString(token);
  }
}
