/**
 * Who may use a node, and how a machine becomes one of those: lists, pairing, recovery.
 *
 * @module
 */
export * from "./device-lists.ts";
export { followDeviceLists } from "./device-chain.ts";
export {
  assertAdminStays,
  assertIsNoKit,
  assertNameIsFree,
  isRecoveryKit,
  KIT_NAME,
} from "./device-rules.ts";
export {
  afterTry,
  INVITATION_LIFETIME_MS,
  makeInvitation,
  MAX_PAIRING_TRIES,
  spent,
  takeRequest,
  type HeldInvitation,
} from "./invitation-desk.ts";
export { answerInvitation, awaitEnrolment, type Joining } from "./joining.ts";
export {
  decodeInvitation,
  decodePairingRequest,
  encodeInvitation,
  encodePairingRequest,
  type Invitation,
  type PairingRequest,
} from "./pairing-codes.ts";
export {
  sealUnderPassphrase,
  openWithPassphrase,
  newPassphraseWords,
  assertLong,
} from "./passphrase.ts";
export { qrRows, qrText } from "./qr.ts";
export { admitKit, opensVault, takeVaultByKit, vaultForKit } from "./kit-vault.ts";
export {
  addKit,
  assertOpensAgain,
  kitName,
  newKit,
  openAsKit,
  openKit,
  restoreFromKit,
  sealKit,
  standingOf,
  type KitStanding,
  type RecoveryKit,
} from "./recovery-kit.ts";
export {
  nextSeenDevices,
  openDeviceList,
  parseSeenDevices,
  type SeenDevices,
} from "./seen-devices.ts";
export { safetyWords, sixWords } from "./six-words.ts";
export { words } from "./words.ts";
export { deviceFingerprint } from "./device-fingerprint.ts";
