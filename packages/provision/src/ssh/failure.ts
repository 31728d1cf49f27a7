/**
 * What the SSH library says went wrong, as a code of ours.
 *
 * @module
 */
import { ProvisionError, type ProvisionErrorCode } from "../provision-error.ts";

/** The library's words are matched, never passed on: the server's may be among them. */
export function errorOf(error: Error & { readonly level?: string }): ProvisionError {
  if (error instanceof ProvisionError) return error;
  return new ProvisionError(codeOf(error), { cause: error });
}

function codeOf({ level, message }: Error & { readonly level?: string }): ProvisionErrorCode {
  switch (level) {
    case "client-socket":
    case "client-dns":
      return "ERR_SSH_UNREACHABLE";
    case "client-timeout":
      return "ERR_SSH_TIMEOUT";
    case "client-authentication":
      return "ERR_SSH_SIGN_IN";
    case "agent":
      return "ERR_SSH_AGENT";
    case "handshake":
      return message.includes("no matching") ? "ERR_SSH_ALGORITHMS" : "ERR_SSH_PROTOCOL";
    default:
      return "ERR_SSH_PROTOCOL";
  }
}
