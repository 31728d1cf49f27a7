/**
 * Every failure of the wire, as a code that tells the caller what to do.
 *
 * @module
 */

/** What went wrong, and what the caller should do about it. */
export type ProtocolErrorCode =
  /** A record or message breaks PROTOCOL.md: drop the connection. */
  | "ERR_MALFORMED"
  /** Something is longer or more numerous than its limit: drop the connection, or send less. */
  | "ERR_LIMIT"
  /** A message arrived that is not due in this state: drop the connection. */
  | "ERR_UNEXPECTED"
  /** Text is not UTF-8: tell the sender, keep the session. */
  | "ERR_INVALID_UTF8"
  /** A JSON body is not of its schema: tell the sender, keep the session. */
  | "ERR_INVALID_MESSAGE";

export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
