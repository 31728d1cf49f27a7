/**
 * The two directions of a finished handshake, with automatic rekeying and a hard end.
 *
 * Specified in PROTOCOL.md, section 4.
 *
 * @module
 */
import { CryptoError } from "../crypto-error.ts";
import { CipherState, TAG_BYTES } from "./cipher-state.ts";

/** A Noise message, tag included; Noise rev. 34, section 3. */
export const MAX_SEALED_BYTES = 65_535;
export const MAX_RECORD_BYTES = MAX_SEALED_BYTES - TAG_BYTES;

/** At most 4 GiB under one key: 2^28 AES blocks, far below where GCM's bounds begin to matter. */
export const REKEY_INTERVAL = 2n ** 16n;

/** A session ends here and a new one, with a new hybrid handshake, takes over. */
export const MAX_RECORDS = 2n ** 32n;

export interface SessionKeys {
  readonly send: CipherState;
  readonly receive: CipherState;
  /** 32 bytes that name this session and nothing else. */
  readonly handshakeHash: Buffer;
}

export class Session {
  readonly #keys: SessionKeys;

  constructor(keys: SessionKeys) {
    this.#keys = keys;
  }

  get handshakeHash(): Buffer {
    return this.#keys.handshakeHash;
  }

  /**
   * @param record at most {@link MAX_RECORD_BYTES}
   * @throws {@link CryptoError} `ERR_LENGTH` or `ERR_COUNTER_EXHAUSTED`
   */
  seal(record: Uint8Array): Buffer {
    if (record.length > MAX_RECORD_BYTES) throw new CryptoError("ERR_LENGTH", "record too long");
    assertRecordsLeft(this.#keys.send);
    const sealed = this.#keys.send.seal(record);
    rekeyWhenDue(this.#keys.send);
    return sealed;
  }

  /** @throws {@link CryptoError} `ERR_LENGTH`, `ERR_AUTHENTICATION` or `ERR_COUNTER_EXHAUSTED` */
  open(untrusted: Uint8Array): Buffer {
    if (untrusted.length > MAX_SEALED_BYTES)
      throw new CryptoError("ERR_LENGTH", "sealed record too long");
    assertRecordsLeft(this.#keys.receive);
    const record = this.#keys.receive.open(untrusted);
    rekeyWhenDue(this.#keys.receive);
    return record;
  }

  /** Lets go of both keys. */
  erase(): void {
    this.#keys.send.erase();
    this.#keys.receive.erase();
  }
}

function assertRecordsLeft(direction: CipherState): void {
  if (direction.counter >= MAX_RECORDS)
    throw new CryptoError("ERR_COUNTER_EXHAUSTED", "this session has carried all it may");
}

function rekeyWhenDue(direction: CipherState): void {
  if (direction.counter % REKEY_INTERVAL === 0n) direction.rekey();
}
