/**
 * One object of a vault as a node keeps it.
 *
 *   offset  size  field
 *        0     8  "PHVAULT1"
 *        8     4  epoch of the vault key, big-endian
 *       12   128  the object's own random key, sealed under the vault key
 *      140     …  the padded object, sealed under its own key
 *
 * Both seals commit to their key, and both are bound to vault, object, revision and epoch. Each revision has a new key:
 * whoever overwrites these 128 bytes has made the rest unreadable. Specified in PROTOCOL.md, section 8.2.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { MAX_VAULT_BLOB_BYTES, openBytes, sealBytes, Secret } from "@phantoma/crypto";
import { genuine } from "./genuine.ts";
import type { VaultKeyring } from "./keyring.ts";
import { pad, unpad } from "./padding.ts";
import { VaultError } from "./vault-error.ts";

const MAGIC = Buffer.from("PHVAULT1", "ascii");
const KEY_START = MAGIC.length + 4;
const BODY_START = KEY_START + 128;
const KEY_BYTES = 32;

export interface ObjectPlace {
  /** Its name in hex. */
  readonly object: string;
  readonly revision: number;
}

/** Under the newest vault key. @throws {@link VaultError} `ERR_VAULT_TOO_LARGE` */
export function sealObject(
  keyring: VaultKeyring,
  place: ObjectPlace,
  plaintext: Uint8Array,
): Buffer {
  const { epoch } = keyring;
  const context = contextOf(keyring.vault, place, epoch);
  const key = new Secret(randomBytes(KEY_BYTES));
  const padded = pad(plaintext);
  const head = Buffer.alloc(KEY_START);
  MAGIC.copy(head);
  head.writeUInt32BE(epoch, MAGIC.length);
  const sealedKey = sealBytes(keyring.key(epoch), context, key.expose());
  const sealed = Buffer.concat([head, sealedKey, sealBytes(key, context, padded)]);
  padded.fill(0);
  key.erase();
  if (sealed.length <= MAX_VAULT_BLOB_BYTES) return sealed;
  throw new VaultError("ERR_VAULT_TOO_LARGE", "sealed, it is more than a node takes");
}

/**
 * Gives nothing unless all of it is genuine, and this revision of this object of this vault.
 *
 * @throws {@link VaultError} `ERR_VAULT_DAMAGED`, `ERR_VAULT_FORGED` or `ERR_VAULT_KEY`
 */
export function openObject(
  keyring: VaultKeyring,
  place: ObjectPlace,
  untrusted: Uint8Array,
): Buffer {
  if (untrusted.length <= BODY_START || untrusted.length > MAX_VAULT_BLOB_BYTES)
    throw new VaultError("ERR_VAULT_DAMAGED", "no sealed object has this length");
  const bytes = Buffer.from(untrusted.buffer, untrusted.byteOffset, untrusted.byteLength);
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new VaultError("ERR_VAULT_DAMAGED", "not a sealed object of this version");
  const epoch = bytes.readUInt32BE(MAGIC.length);
  const context = contextOf(keyring.vault, place, epoch);
  const vaultKey = keyring.key(epoch);
  return genuine(() => {
    const key = new Secret(openBytes(vaultKey, context, bytes.subarray(KEY_START, BODY_START)));
    try {
      return unpad(openBytes(key, context, bytes.subarray(BODY_START)));
    } finally {
      key.erase();
    }
  });
}

function contextOf(vault: Uint8Array, { object, revision }: ObjectPlace, epoch: number): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(revision);
  numbers.writeUInt32BE(epoch, 4);
  const domain = Buffer.from("phantoma vault object v1\0", "ascii");
  return Buffer.concat([domain, vault, Buffer.from(object, "hex"), numbers]);
}
