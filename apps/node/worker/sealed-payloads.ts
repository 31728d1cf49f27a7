/**
 * What a conversation keeps from turn to turn, each piece sealed with AES-256-GCM under a key that exists in
 * this process only.
 *
 * The pieces lie in this process's memory and in no file: a file's pages are freed as they are when a process is
 * killed, these are overwritten by its cell. See docs/decisions/0017-payloads-in-no-file.md.
 *
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from "node:crypto";
import { CryptoError, Secret } from "@phantoma/crypto";

/** What a piece is and where it belongs: opened as anything else, it does not open. */
export type Label =
  | { readonly kind: "message"; readonly role: MessageRole; readonly index: number }
  | { readonly kind: "attachment"; readonly stream: number };

export type MessageRole = keyof typeof ROLE;

/** Only {@link SealedPayloads} looks inside. */
export interface SealedPayload {
  /** Ciphertext, then the tag. */
  readonly sealed: Buffer;
  readonly nonce: Buffer;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Kind (1), role (1), number (4): a history has fewer than 2^32 messages, and a stream's number has 32 bits. */
const LABEL_BYTES = 6;
const GCM_OPTIONS = { authTagLength: TAG_BYTES } as const;
const ROLE = { system: 1, user: 2, assistant: 3 } as const;
const KIND = { message: 1, attachment: 2 } as const;

export class SealedPayloads {
  readonly #key = new Secret(randomBytes(KEY_BYTES));
  readonly #kept = new Set<SealedPayload>();
  /** The next nonce: a key is never used twice with one, and a conversation cannot reach 2^53. */
  #nextNonce = 0;

  /**
   * Seals, and overwrites `plaintext`.
   *
   * @throws {@link CryptoError} `ERR_STEP_REUSED` after {@link erase}; then `plaintext` is overwritten as well
   */
  seal(label: Label, plaintext: Buffer): SealedPayload {
    try {
      const nonce = Buffer.alloc(NONCE_BYTES);
      nonce.writeBigUInt64BE(BigInt(this.#nextNonce++), NONCE_BYTES - 8);
      const cipher = createCipheriv("aes-256-gcm", this.#keyForOne(), nonce, GCM_OPTIONS);
      cipher.setAAD(encodeLabel(label));
      const sealed = Buffer.allocUnsafeSlow(plaintext.length + TAG_BYTES);
      sealed.set(cipher.update(plaintext), 0);
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      const payload = { sealed, nonce };
      this.#kept.add(payload);
      return payload;
    } finally {
      plaintext.fill(0);
    }
  }

  /**
   * The plaintext, which is the caller's to overwrite.
   *
   * @throws {@link CryptoError} `ERR_AUTHENTICATION` where a bit of it has changed or the label is another one:
   *   end the conversation; `ERR_STEP_REUSED` after {@link shred} or {@link erase}
   */
  open(label: Label, payload: SealedPayload): Buffer {
    if (!this.#kept.has(payload))
      throw new CryptoError("ERR_STEP_REUSED", "a payload used after it was shredded");
    const { sealed, nonce } = payload;
    const end = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv("aes-256-gcm", this.#keyForOne(), nonce, GCM_OPTIONS);
    decipher.setAAD(encodeLabel(label));
    decipher.setAuthTag(sealed.subarray(end));
    const plaintext = decipher.update(sealed.subarray(0, end));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      throw new CryptoError("ERR_AUTHENTICATION", "a sealed payload is not as it was sealed");
    }
    return plaintext;
  }

  /** Overwrites a piece and lets go of it. */
  shred(payload: SealedPayload): void {
    this.#kept.delete(payload);
    payload.sealed.fill(0);
  }

  /** The key first: from here on nothing opens, whatever is left of it. Harmless when repeated. */
  erase(): void {
    this.#key.erase();
    for (const payload of this.#kept) this.shred(payload);
  }

  /** Made each time, because only our own copy can be overwritten; from bytes a cipher takes four times as long. */
  #keyForOne(): KeyObject {
    return createSecretKey(this.#key.expose());
  }
}

function encodeLabel(label: Label): Buffer {
  const bytes = Buffer.alloc(LABEL_BYTES);
  bytes.writeUInt8(KIND[label.kind], 0);
  if (label.kind === "message") bytes.writeUInt8(ROLE[label.role], 1);
  bytes.writeUInt32BE(label.kind === "message" ? label.index : label.stream, 2);
  return bytes;
}
