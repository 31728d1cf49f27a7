/**
 * Turns the tokens of one answer into text that can be shown at once: whole characters only, nothing that may
 * still turn out to be a stop string, and in a chat no white space at the start.
 *
 *   token ──> characters ──> held back while it may begin a stop string ──> onText
 *
 * @module
 */

export interface StopString {
  readonly text: string;
  /** `caller` asked for it, `template` is how the model's template ends a turn. */
  readonly from: "caller" | "template";
}

export class AnswerText {
  readonly #decode: DecodeTokens;
  readonly #stops: readonly StopString[];
  readonly #onText: (text: string) => void;
  readonly #keepsSpace: boolean;
  /** Tokens of a character that is not complete, after those that decide about the space before it. */
  #pending: number[] = [];
  #before: number[];
  /** How much of the text of `#pending` is out already. */
  #pendingShown = 0;
  #held = "";
  #shown = "";
  #tokens = 0;
  #isCut = false;

  /**
   * @param before the last tokens of the prompt
   * @param keepsSpace whether white space at the start is part of the answer
   */
  constructor(
    decode: DecodeTokens,
    before: readonly number[],
    stops: readonly StopString[],
    onText: (text: string) => void,
    keepsSpace = false,
  ) {
    this.#decode = decode;
    this.#before = before.slice(-TOKENS_BEFORE);
    this.#stops = stops;
    this.#onText = onText;
    this.#keepsSpace = keepsSpace;
  }

  /** What was given to `onText` so far. */
  get text(): string {
    return this.#shown;
  }

  /** How many tokens make exactly {@link text} after {@link finish}; 0 when it may end inside one. */
  get exactTokens(): number {
    return this.#isCut || this.#pendingShown > 0 ? 0 : this.#tokens - this.#pending.length;
  }

  /** @returns the stop string that ended the answer, if one did; then nothing more may be added */
  add(token: number): StopString | undefined {
    this.#tokens++;
    this.#pending.push(token);
    const text = this.#decode(this.#before, this.#pending);
    const isComplete = !text.endsWith(INCOMPLETE) || this.#pending.length >= MAX_PENDING_TOKENS;
    const end = isComplete ? text.length : text.length - INCOMPLETE.length;
    const added = text.slice(this.#pendingShown, end);
    this.#pendingShown = end;
    if (isComplete) {
      this.#before = [...this.#before, ...this.#pending].slice(-TOKENS_BEFORE);
      this.#pending = [];
      this.#pendingShown = 0;
    }
    return this.#show(added);
  }

  /** Ends the answer where it is: what was held back for a stop string is text after all. */
  finish(): void {
    this.#give(this.#held);
    this.#held = "";
  }

  #show(added: string): StopString | undefined {
    const text = this.#held + added;
    const stop = firstStop(text, this.#stops);
    if (stop !== undefined) {
      this.#isCut = true;
      this.#held = "";
      this.#give(text.slice(0, stop.at));
      return stop.stop;
    }
    const heldFrom = text.length - longestStopBeginning(text, this.#stops);
    this.#held = text.slice(heldFrom);
    this.#give(text.slice(0, heldFrom));
    return undefined;
  }

  #give(text: string): void {
    const visible = this.#shown === "" && !this.#keepsSpace ? text.trimStart() : text;
    if (visible === "") return;
    this.#shown += visible;
    this.#onText(visible);
  }
}

/** @returns the text of `tokens` after `before`, with U+FFFD for bytes that make no character */
export type DecodeTokens = (before: readonly number[], tokens: readonly number[]) => string;

function firstStop(
  text: string,
  stops: readonly StopString[],
): { readonly stop: StopString; readonly at: number } | undefined {
  return stops
    .map((stop) => ({ stop, at: text.indexOf(stop.text) }))
    .filter(({ at }) => at >= 0)
    .reduce<{ stop: StopString; at: number } | undefined>(
      (first, found) => (first === undefined || found.at < first.at ? found : first),
      undefined,
    );
}

/** Length of the longest end of `text` with which a stop string begins. */
function longestStopBeginning(text: string, stops: readonly StopString[]): number {
  let longest = 0;
  for (const { text: stop } of stops) {
    const from = Math.min(text.length, stop.length - 1);
    for (let length = from; length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
}

/** What a character whose last bytes are still to come is decoded to. */
const INCOMPLETE = "\uFFFD";

/** A character has at most four bytes, hence four tokens; the rest is for bytes that never become one. */
const MAX_PENDING_TOKENS = 32;

/** Some vocabularies join a word and a punctuation mark over up to this many tokens. */
export const TOKENS_BEFORE = 4;
