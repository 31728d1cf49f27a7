/**
 * Keys, handshake, cipher state, sealed records and signed documents. Imports nothing of ours.
 *
 * @module
 */
export { CryptoError, type CryptoErrorCode } from "./crypto-error.ts";
export { Secret } from "./secret.ts";
export { generateX25519, type X25519KeyPair } from "./x25519.ts";
export { loadMlKem } from "./ml-kem.ts";
export { ed25519FromSeed } from "./ed25519.ts";
export * from "./identity.ts";
export * from "./noise/handshake.ts";
export {
  MAX_RECORD_BYTES,
  MAX_RECORDS,
  MAX_SEALED_BYTES,
  REKEY_INTERVAL,
  Session,
} from "./noise/session.ts";
export { TAG_BYTES } from "./noise/cipher-state.ts";
export { openBytes, sealBytes } from "./sealed.ts";
export { documentHash, MAX_DOCUMENT_BYTES } from "./documents/document.ts";
export * from "./documents/ticket.ts";
export * from "./documents/certificate.ts";
export * from "./documents/device-list.ts";
export * from "./documents/orders.ts";
export {
  approveSuccession,
  MAX_FORMER_KEYS,
  openSuccession,
  SUCCESSION_BYTES,
  successionDocument,
  type Succession,
} from "./documents/succession.ts";
export { addressBytes, addressText } from "./documents/address.ts";
export * from "./documents/receipt.ts";
export * from "./documents/heartbeat.ts";
export * from "./documents/heartbeat-answer.ts";
export * from "./documents/licence.ts";
export * from "./documents/vault.ts";
export * from "./vault-root.ts";
export { vaultKeysOf, type VaultKeys } from "./vault-keys.ts";
export { loadXWing, X_WING_CIPHERTEXT_BYTES, type XWing, type XWingKeyPair } from "./x-wing.ts";
