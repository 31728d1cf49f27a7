/**
 * A vault's keys: one for each epoch, wrapped with X-Wing to each device that had the vault then.
 *
 *   epoch 3: key wrapped to A and C; key of epoch 2 sealed under it
 *   epoch 2: key wrapped to A, B and C; key of epoch 1 sealed under it
 *
 * Who has an epoch's key has those before it, and none after: a device that was revoked reads nothing that is written
 * from the next epoch on.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import {
  MAX_VAULT_MEMBERS,
  NO_PREVIOUS,
  openBytes,
  sameBytes,
  sealBytes,
  Secret,
  vaultEpochDocument,
  X_WING_CIPHERTEXT_BYTES,
  type DeviceIdentity,
  type VaultCard,
  type VaultEpoch,
  type XWing,
  type XWingKeyPair,
} from "@phantoma/crypto";
import { genuine } from "./genuine.ts";
import { VaultError } from "./vault-error.ts";

const KEY_BYTES = 32;
/** What {@link sealBytes} makes of a key. */
const SEALED_KEY_BYTES = 128;
export const WRAP_BYTES = X_WING_CIPHERTEXT_BYTES + SEALED_KEY_BYTES;

export class VaultKeyring {
  readonly vault: Uint8Array;
  /** The newest, under which everything new is sealed. */
  readonly epoch: number;
  readonly #keys: ReadonlyMap<number, Secret>;

  constructor(vault: Uint8Array, keys: ReadonlyMap<number, Secret>) {
    this.vault = vault;
    this.#keys = keys;
    this.epoch = Math.max(...keys.keys());
  }

  /** @throws {@link VaultError} `ERR_VAULT_KEY` */
  key(epoch: number): Secret {
    const key = this.#keys.get(epoch);
    if (!key)
      throw new VaultError("ERR_VAULT_KEY", "sealed under a key that this device never had");
    return key;
  }

  erase(): void {
    for (const key of this.#keys.values()) key.erase();
  }
}

export interface NewEpoch {
  readonly document: Uint8Array;
  /** One for each member, in their order. */
  readonly wraps: Uint8Array;
}

/** A new vault key for these devices; the old one, if there is one, sealed under it. */
export function makeEpoch(
  xWing: XWing,
  signer: DeviceIdentity,
  facts: {
    readonly node: Uint8Array;
    readonly vault: Uint8Array;
    readonly before: { readonly epoch: VaultEpoch; readonly hash: Uint8Array } | undefined;
    /** Has the key of the epoch before. */
    readonly keyring: VaultKeyring | undefined;
    /** Of the first head that will name this epoch. */
    readonly since: number;
    /** Verified, of every member and of nobody else. */
    readonly cards: readonly VaultCard[];
    readonly now: number;
  },
): NewEpoch {
  const { node, vault, before, keyring, since, cards, now } = facts;
  if (cards.length > MAX_VAULT_MEMBERS)
    throw new VaultError("ERR_VAULT_MEMBERS", "no further device fits into the vault");
  const epoch = (before?.epoch.epoch ?? 0) + 1;
  const key = new Secret(randomBytes(KEY_BYTES));
  const signerKey = signer.signing.publicKey;
  const wraps = cards.map((card) => {
    const { ciphertext, sharedSecret } = xWing.encapsulate(card.key);
    const context = wrapContext(node, vault, epoch, signerKey, card.device);
    const sealedKey = sealBytes(sharedSecret, context, key.expose());
    sharedSecret.erase();
    return Buffer.concat([ciphertext, sealedKey]);
  });
  const carriedKey =
    before && keyring
      ? sealBytes(key, carriedContext(vault, epoch - 1), keyring.key(epoch - 1).expose())
      : null;
  key.erase();
  const document = vaultEpochDocument.sign(
    {
      node,
      vault,
      epoch,
      previous: before?.hash ?? NO_PREVIOUS,
      since,
      issuedAt: now,
      signer: signerKey,
      carriedKey,
      members: cards.map(({ device }, i) => ({ device, wrap: sha256(wraps[i]!) })),
    },
    signer.signing.privateKey,
  );
  return { document, wraps: Buffer.concat(wraps) };
}

/**
 * All keys, from the newest epoch's wrap to this device back to the first.
 *
 * @param epochs verified, the first first
 * @param untrustedWraps of the newest epoch's members, in their order
 * @throws {@link VaultError} `ERR_VAULT_KEY`, `ERR_VAULT_FORGED` or `ERR_VAULT_DAMAGED`
 */
export function openKeyring(
  epochs: readonly VaultEpoch[],
  untrustedWraps: Uint8Array,
  device: Uint8Array,
  xWing: XWingKeyPair,
): VaultKeyring {
  const newest = epochs.at(-1)!;
  const { node, vault, members, signer } = newest;
  const place = members.findIndex((member) => sameBytes(member.device, device));
  if (place < 0) throw new VaultError("ERR_VAULT_KEY", "this device has no key of the vault");
  if (untrustedWraps.length !== members.length * WRAP_BYTES)
    throw new VaultError("ERR_VAULT_DAMAGED", "not one wrapped key for each device");
  const wrap = untrustedWraps.subarray(place * WRAP_BYTES, (place + 1) * WRAP_BYTES);
  if (!sameBytes(sha256(wrap), members[place]!.wrap))
    throw new VaultError("ERR_VAULT_FORGED", "not the wrapped key that was signed");
  const context = wrapContext(node, vault, newest.epoch, signer, device);
  const shared = xWing.decapsulate(wrap.subarray(0, X_WING_CIPHERTEXT_BYTES));
  const open = (key: Secret, context: Uint8Array, sealed: Uint8Array): Secret =>
    new Secret(genuine(() => openBytes(key, context, sealed)));
  let key = open(shared, context, wrap.subarray(X_WING_CIPHERTEXT_BYTES));
  shared.erase();
  const keys = new Map([[newest.epoch, key]]);
  for (const { epoch, carriedKey } of epochs.toReversed()) {
    if (carriedKey === null) break;
    key = open(key, carriedContext(vault, epoch - 1), carriedKey);
    keys.set(epoch - 1, key);
  }
  return new VaultKeyring(vault, keys);
}

function wrapContext(
  node: Uint8Array,
  vault: Uint8Array,
  epoch: number,
  signer: Uint8Array,
  device: Uint8Array,
): Buffer {
  const domain = Buffer.from("phantoma vault wrap v1\0", "ascii");
  return Buffer.concat([domain, node, vault, numberOf(epoch), signer, device]);
}

function carriedContext(vault: Uint8Array, epoch: number): Buffer {
  const domain = Buffer.from("phantoma vault carried key v1\0", "ascii");
  return Buffer.concat([domain, vault, numberOf(epoch)]);
}

function numberOf(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}
