/**
 * Saved conversations: sealed on this machine, and for whoever keeps them. Touches no network.
 *
 * @module
 */
export { vaultAdvice, VaultError, type VaultErrorCode } from "./vault-error.ts";
export {
  encodeConversation,
  isSameConversation,
  mergeConversations,
  parseConversation,
  type SavedConversation,
  type SavedMessage,
} from "./conversation.ts";
export { fromJson, openBackup, sealBackup, toJson, toMarkdown } from "./conversation-file.ts";
export { LocalVault, type SavedSummary, type VaultState } from "./local-vault.ts";
export { openObject, sealObject } from "./sealed-object.ts";
export { makeEpoch, openKeyring, VaultKeyring, WRAP_BYTES } from "./keyring.ts";
export { openCards, openEpochs, openHeads, type EpochChain } from "./history.ts";
