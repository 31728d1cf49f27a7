/**
 * Why nothing came of a request: the codes are those that a person is shown (PROTOCOL.md, section 5.4).
 *
 * @module
 */
import type { HeartbeatOutcome } from "@phantoma/protocol";

export type HeraldErrorCode = Extract<
  HeartbeatOutcome,
  "ERR_UNREACHABLE" | "ERR_TLS" | "ERR_STATUS" | "ERR_TOO_LONG"
>;

export class HeraldError extends Error {
  override readonly name = "HeraldError";
  readonly code: HeraldErrorCode;

  constructor(code: HeraldErrorCode) {
    super(code);
    this.code = code;
  }
}

/** @param isSecure the other end has shown its certificate */
export function heraldErrorOf(error: unknown, isSecure: boolean): HeraldError {
  if (error instanceof HeraldError) return error;
  const { code = "" } = error as NodeJS.ErrnoException;
  const isTls =
    !isSecure && /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED)/.test(code);
  return new HeraldError(isTls ? "ERR_TLS" : "ERR_UNREACHABLE");
}
