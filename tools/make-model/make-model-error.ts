/**
 * The one error class of the model maker.
 *
 * @module
 */

/** What went wrong, and what the caller should do about it. */
export type MakeModelErrorCode =
  /** A shape, seed, size or period is unknown or out of range: correct the option. */
  | "ERR_OPTION"
  /** The file could not be written, `cause` says why: free the space or choose another path. */
  | "ERR_WRITE"
  /** A file that should be a whole GGUF model is not one: make it again. */
  | "ERR_NOT_GGUF";

/** An error whose code tells the caller what to do; the message is for people. */
export class MakeModelError extends Error {
  override readonly name = "MakeModelError";
  readonly code: MakeModelErrorCode;

  constructor(code: MakeModelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
