/**
 * Why a file did not come, and whether another try could help.
 *
 * @module
 */
import type { TransferFailure } from "@phantoma/protocol";

export class TransferError extends Error {
  override readonly name = "TransferError";
  readonly code: TransferFailure;
  /** The network's fault rather than the file's: it may be over in a moment. */
  readonly isPassing: boolean;

  constructor(code: TransferFailure, isPassing = false) {
    super(`not fetched: ${code}`);
    this.code = code;
    this.isPassing = isPassing;
  }
}

/** The other end is not there, or went away. */
const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EPIPE",
  "EADDRNOTAVAIL",
]);

/** @param isSecure whether the other end had proven its name when it happened */
export function transferErrorOf(error: unknown, isSecure: boolean): TransferError {
  if (error instanceof TransferError) return error;
  const codes = codesOf(error);
  // The kernel's own word: these addresses are not open, or not any more.
  if (codes.every((code) => code === "EPERM")) return new TransferError("ERR_WINDOW_CLOSED");
  if (codes.some((code) => UNREACHABLE.has(code)))
    return new TransferError("ERR_UNREACHABLE", true);
  if (codes.includes("ETIMEDOUT")) return new TransferError("ERR_TIMEOUT", true);
  if (codes.some((code) => code === "ENOSPC" || code === "EDQUOT"))
    return new TransferError("ERR_NO_SPACE");
  if (codes.some((code) => code.startsWith("HPE_"))) return new TransferError("ERR_STATUS");
  if (!isSecure) return new TransferError("ERR_TLS");
  // A system error that is no network's is the disk's.
  return (error as NodeJS.ErrnoException).errno === undefined
    ? new TransferError("ERR_UNREACHABLE", true)
    : new TransferError("ERR_STORAGE");
}

/** Of one error, or of every address that was tried. */
function codesOf(error: unknown): string[] {
  const all: unknown[] = error instanceof AggregateError ? error.errors : [error];
  return all.map((one) => (one as NodeJS.ErrnoException).code ?? "");
}
