/**
 * Talk to a node: connection, conversation, control. Everything of ours that talks to one uses this.
 *
 * @module
 */
export { advice, ClientError, type ClientErrorCode } from "./client-error.ts";
export { originOf, parseProfile, type NodeProfile } from "./node-profile.ts";
export { followSuccession, signSuccession, type SignedSuccession } from "./succession.ts";
export * from "./devices/index.ts";
export { checkCertificate } from "./certificate-check.ts";
export { Tunnel, type TunnelOptions } from "./tunnel.ts";
export { Conversation, type ConversationOptions, type TurnEvent } from "./conversation.ts";
export { ControlSession } from "./control-session.ts";
export { VaultLink } from "./vault-link.ts";
export { joinVault, leaveVault, syncVault, type SyncResult } from "./vault-sync.ts";
export type { SyncOptions } from "./vault-options.ts";
export {
  assertReceiptOf,
  receiptGaps,
  receiptPage,
  type ReceiptGap,
  type ReceiptPage,
} from "./receipts.ts";
export {
  encodeReceiptFile,
  MAX_FILE_RECEIPTS,
  MAX_RECEIPT_FILE_BYTES,
  openReceiptFile,
  type ReceiptFile,
} from "./receipt-file.ts";
export type { VerifiedReceipt } from "@phantoma/crypto";
export { watchEgress, type WatchOptions } from "./watch-egress.ts";
export {
  openModelFile,
  pushModel,
  type ModelFile,
  type PushOptions,
  type PushProgress,
} from "./push-model.ts";
export { resolveModel, type ModelSource, type ResolvedModel } from "./resolve-model.ts";
export { isPrivateAddress, signWindowOrder, type WindowRequest } from "./window-order.ts";
export { signUpdateApproval, signUpdatePolicy } from "./update-order.ts";
export { pushRelease } from "./push-release.ts";
export { signStandingOrder, type StandingRequest } from "./standing-order.ts";
export { transferAdvice } from "./transfer-advice.ts";
export {
  controlRefusals,
  doctorLines,
  isHealthy,
  MAX_TOKENS_PER_ANSWER,
  wipeWords,
} from "@phantoma/protocol";
export type {
  Doctor,
  Egress,
  EgressEvent,
  LastSeen,
  Reporting,
  Transfer,
  Update,
  WindowState,
} from "@phantoma/protocol";
export { isPassing, retryDelayMs, withRetry } from "./retry.ts";
export { LocalNode, type LocalNodeOptions } from "./local-node.ts";
