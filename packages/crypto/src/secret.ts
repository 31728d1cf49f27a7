/**
 * Bytes that must not be seen: a holder that never prints them and can erase them.
 *
 * Buffers can be overwritten, strings cannot, so no secret of ours is ever a string. What V8 or
 * OpenSSL copied elsewhere is out of reach; only the end of the process takes that along.
 *
 * @module
 */
import { CryptoError } from "./crypto-error.ts";

export class Secret {
  #bytes: Buffer | undefined;

  /** Takes ownership of `bytes`: the caller must not use or keep them. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * The bytes themselves, valid until {@link erase}. Do not copy them.
   *
   * @throws {@link CryptoError} `ERR_STEP_REUSED` after erasure
   */
  expose(): Buffer {
    if (!this.#bytes) throw new CryptoError("ERR_STEP_REUSED", "secret used after it was erased");
    return this.#bytes;
  }

  get wasErased(): boolean {
    return this.#bytes === undefined;
  }

  /** Overwrites the bytes with zeros and lets go of them. Harmless when repeated. */
  erase(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  /** What `console.log` and error reports would show. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}
