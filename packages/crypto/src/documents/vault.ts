/**
 * What the devices of a vault sign: a key to wrap to, who shares a key, and what the vault holds now.
 *
 *   card   a device's X-Wing key, signed by the device
 *   epoch  one vault key and the devices that have it; turned when a device comes or goes
 *   head   all that the vault holds, as one root; each names the one before, so that nobody goes back or forks unseen
 *
 * Whether the signer may sign is the reader's to judge: by the device list, and by the epoch before.
 *
 * @module
 */
import { documentKind } from "./document.ts";
import { bytes, group, list, optional, time, unsigned, type ValuesOf } from "./fields.ts";
import { X_WING_PUBLIC_BYTES } from "../x-wing.ts";

/** One person's machines and a recovery kit. */
export const MAX_VAULT_MEMBERS = 16;

export const VAULT_ID_BYTES = 16;

const cardLayout = {
  node: bytes(32),
  /** By its Ed25519 key. */
  device: bytes(32),
  key: bytes(X_WING_PUBLIC_BYTES),
  issuedAt: time,
} as const;

const member = {
  device: bytes(32),
  /** SHA-256 of the wrap: X-Wing ciphertext, then the sealed vault key. */
  wrap: bytes(32),
} as const;

const epochLayout = {
  node: bytes(32),
  vault: bytes(VAULT_ID_BYTES),
  epoch: unsigned(4),
  /** Hash of the epoch before; zeros for epoch 1. */
  previous: bytes(32),
  /** The first head of this epoch: a device that comes later accepts none before it. */
  since: unsigned(4),
  issuedAt: time,
  signer: bytes(32),
  /** The vault key before, sealed under this one; absent for epoch 1. */
  carriedKey: optional(bytes(128)),
  members: list(group(member), MAX_VAULT_MEMBERS),
} as const;

const headLayout = {
  node: bytes(32),
  vault: bytes(VAULT_ID_BYTES),
  version: unsigned(4),
  /** Hash of the head before; zeros for version 1. */
  previous: bytes(32),
  epoch: unsigned(4),
  /** Hash of the epoch's document. */
  epochDocument: bytes(32),
  objects: unsigned(4),
  root: bytes(32),
  issuedAt: time,
  signer: bytes(32),
} as const;

export type VaultCard = ValuesOf<typeof cardLayout>;
export type VaultEpoch = ValuesOf<typeof epochLayout>;
export type VaultHead = ValuesOf<typeof headLayout>;

export const vaultCardDocument = documentKind(12, 1, "vault card", cardLayout);
export const vaultEpochDocument = documentKind(13, 1, "vault epoch", epochLayout);
export const vaultHeadDocument = documentKind(14, 1, "vault head", headLayout);
