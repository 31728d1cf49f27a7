/**
 * Every failure of the engine, as a code that tells the caller what to do.
 * No message holds a word of a conversation.
 *
 * @module
 */

/** What went wrong, and what the caller should do about it. */
export type EngineErrorCode =
  /** llama.cpp for this platform is missing or not the version this code was written for: reinstall. */
  | "ERR_ENGINE_MISSING"
  /** The file is damaged, or no model that llama.cpp can run: choose another. */
  | "ERR_MODEL_UNUSABLE"
  /** The context does not fit in memory: ask for fewer context tokens. */
  | "ERR_OUT_OF_MEMORY"
  /** The prompt leaves no room for an answer: shorten it. See the two numbers in the error. */
  | "ERR_PROMPT_TOO_LONG"
  /** The history does not end with the user, or the model's template refuses it: fix the history. */
  | "ERR_CONVERSATION"
  /** A sampling option is out of range: fix the option. */
  | "ERR_SAMPLING"
  /** Another answer is under way, or the engine is disposed: fix the caller. */
  | "ERR_BUSY"
  /** llama.cpp gave up in the middle: end the task. */
  | "ERR_EVALUATION";

export class EngineError extends Error {
  override readonly name: string = "EngineError";
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export class PromptTooLongError extends EngineError {
  /** At least this many: a prompt that is far too long is not counted to its end. */
  readonly promptTokens: number;
  readonly limitTokens: number;

  constructor(promptTokens: number, limitTokens: number) {
    super(
      "ERR_PROMPT_TOO_LONG",
      `the prompt has ${promptTokens} tokens or more, the limit is ${limitTokens}`,
    );
    this.promptTokens = promptTokens;
    this.limitTokens = limitTokens;
  }
}
