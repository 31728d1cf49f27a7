/**
 * Every failure of this package, as a code that tells the caller what to do.
 *
 * @module
 */

/** What went wrong, and what the caller should do about it. */
export type CryptoErrorCode =
  /** A message is shorter or longer than its fixed form: drop the connection. */
  | "ERR_LENGTH"
  /** A tag, signature or commitment did not verify: drop the connection, never say why to the peer. */
  | "ERR_AUTHENTICATION"
  /** A public key has no secret in common with anybody (all-zero result): drop the connection. */
  | "ERR_BAD_KEY"
  /** A counter reached its end: make a new session. */
  | "ERR_COUNTER_EXHAUSTED"
  /** A one-shot step was called twice, or a secret used after it was erased: fix the caller. */
  | "ERR_STEP_REUSED"
  /** A document is of another type or version than was asked for: refuse it. */
  | "ERR_DOCUMENT_TYPE"
  /** A document's field is outside what its layout allows: refuse it. */
  | "ERR_DOCUMENT_FIELD"
  /** A document is signed by nobody who may sign it, or breaks its chain: refuse it. */
  | "ERR_NOT_AUTHORISED"
  /** Sealed bytes ended before their last chunk: treat the file as incomplete. */
  | "ERR_TRUNCATED";

export class CryptoError extends Error {
  override readonly name = "CryptoError";
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
