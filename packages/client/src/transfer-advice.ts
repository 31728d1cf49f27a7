/**
 * Why a file of a window did not come in, with one thing to do about it.
 *
 * @module
 */
import type { TransferFailure } from "@phantoma/protocol";

export const transferAdvice = {
  ERR_UNREACHABLE: "no listed address answers: check the network, then open another window",
  ERR_TIMEOUT: "the host fell silent: open another window",
  ERR_TLS: "its certificate is not for the signed name: do not trust this source",
  ERR_REDIRECT: "it redirects to a name that was not signed: resolve the address again",
  ERR_STATUS: "the host did not answer with the file: check its address",
  ERR_TOO_LONG: "the file is longer than signed: resolve the address again",
  ERR_TOO_SHORT: "the file is shorter than signed: resolve the address again",
  ERR_DIGEST: "these are other bytes than signed: do not trust this source",
  ERR_NO_SPACE: "the node's disk is full: remove a model",
  ERR_STORAGE: "the node's disk failed: look at the node's log",
  ERR_WINDOW_CLOSED: "there was not enough time: open a longer window, or push the file",
} as const satisfies Record<TransferFailure, string>;
