/**
 * Runs the tokens of a Noise pattern, for either role.
 *
 * It knows nothing of what may happen when: `handshake.ts` wraps it in one type per state, and is
 * what everybody uses. It runs plain XX too, so that the public vectors go through the same code.
 *
 * Source: Noise rev. 34, section 5.3 (HandshakeState) and section 7.5 (XX); hfs extension rev. 1,
 * section 4 (`e1`, `ekem1`), with ML-KEM-768 as the KEM.
 *
 * @module
 */
import { CryptoError } from "../crypto-error.ts";
import { ML_KEM_CIPHERTEXT_BYTES, ML_KEM_PUBLIC_BYTES } from "../ml-kem.ts";
import type { MlKem, MlKemKeyPair } from "../ml-kem.ts";
import { generateX25519, x25519, X25519_BYTES, type X25519KeyPair } from "../x25519.ts";
import { TAG_BYTES, type CipherState } from "./cipher-state.ts";
import { SymmetricState } from "./symmetric-state.ts";

export type Token = "e" | "e1" | "ee" | "ekem1" | "s" | "es" | "se";

export interface Pattern {
  readonly protocolName: string;
  /** Messages in order; the initiator writes the first, third, … */
  readonly messages: readonly (readonly Token[])[];
}

/** The one suite of the tunnel. The KEM ciphertext stands before `s`, so `s` is hybrid-protected. */
export const XXHFS: Pattern = {
  protocolName: "Noise_XXhfs_25519+MLKEM768_AESGCM_SHA256",
  messages: [
    ["e", "e1"],
    ["e", "ee", "ekem1", "s", "es"],
    ["s", "se"],
  ],
};

export interface HandshakeOptions {
  readonly pattern: Pattern;
  readonly initiator: boolean;
  readonly prologue: Uint8Array;
  readonly localStatic: X25519KeyPair;
  readonly mlKem: MlKem;
  /** Only for vectors: a handshake makes its own ephemeral keys. */
  readonly fixedEphemeral?: X25519KeyPair;
  readonly fixedKemKeys?: MlKemKeyPair;
}

export class HandshakeState {
  readonly #symmetric: SymmetricState;
  readonly #options: HandshakeOptions;
  #step = 0;
  #ephemeral: X25519KeyPair | undefined;
  #kemKeys: MlKemKeyPair | undefined;
  #remoteEphemeral: Uint8Array | undefined;
  #remoteStatic: Uint8Array | undefined;
  #remoteKem: Uint8Array | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#symmetric = new SymmetricState(options.pattern.protocolName);
    this.#symmetric.mixHash(options.prologue);
  }

  /** The peer's static public key, once a message has brought it; authenticated by the next DH. */
  get remoteStatic(): Uint8Array | undefined {
    return this.#remoteStatic;
  }

  writeMessage(payload: Uint8Array): Buffer {
    const parts = this.#nextTokens().map((token) => this.#writeToken(token));
    parts.push(this.#symmetric.encryptAndHash(payload));
    return Buffer.concat(parts);
  }

  /** @throws {@link CryptoError} `ERR_LENGTH`, `ERR_BAD_KEY` or `ERR_AUTHENTICATION` */
  readMessage(untrusted: Uint8Array): Buffer {
    const cursor = { rest: untrusted };
    for (const token of this.#nextTokens()) this.#readToken(token, cursor);
    return this.#symmetric.decryptAndHash(cursor.rest);
  }

  /** The session's two directions and its name; erases everything else. */
  finish(): { send: CipherState; receive: CipherState; handshakeHash: Buffer } {
    const handshakeHash = this.#symmetric.hash;
    const [first, second] = this.#symmetric.split();
    this.erase();
    return this.#options.initiator
      ? { send: first, receive: second, handshakeHash }
      : { send: second, receive: first, handshakeHash };
  }

  erase(): void {
    this.#step = Number.POSITIVE_INFINITY;
    this.#symmetric.erase();
    this.#kemKeys?.erase();
    this.#kemKeys = undefined;
    this.#ephemeral = undefined;
  }

  #nextTokens(): readonly Token[] {
    const tokens = this.#options.pattern.messages[this.#step];
    if (!tokens) throw new CryptoError("ERR_STEP_REUSED", "the handshake is over");
    this.#step += 1;
    return tokens;
  }

  #writeToken(token: Token): Buffer {
    const { localStatic, mlKem } = this.#options;
    switch (token) {
      case "e":
        this.#ephemeral = this.#options.fixedEphemeral ?? generateX25519();
        this.#symmetric.mixHash(this.#ephemeral.publicKey);
        return Buffer.from(this.#ephemeral.publicKey);
      case "e1":
        this.#kemKeys = this.#options.fixedKemKeys ?? mlKem.generate();
        return this.#symmetric.encryptAndHash(this.#kemKeys.publicKey);
      case "ekem1": {
        const { ciphertext, sharedSecret } = mlKem.encapsulate(present(this.#remoteKem));
        const sealed = this.#symmetric.encryptAndHash(ciphertext);
        this.#symmetric.mixKey(sharedSecret);
        return sealed;
      }
      case "s":
        return this.#symmetric.encryptAndHash(localStatic.publicKey);
      case "ee":
      case "es":
      case "se":
        this.#mixDiffieHellman(token);
        return Buffer.alloc(0);
    }
  }

  #readToken(token: Token, cursor: { rest: Uint8Array }): void {
    switch (token) {
      case "e":
        this.#remoteEphemeral = take(cursor, X25519_BYTES);
        this.#symmetric.mixHash(this.#remoteEphemeral);
        return;
      case "e1":
        this.#remoteKem = this.#takeSealed(cursor, ML_KEM_PUBLIC_BYTES);
        return;
      case "ekem1": {
        const ciphertext = this.#takeSealed(cursor, ML_KEM_CIPHERTEXT_BYTES);
        this.#symmetric.mixKey(present(this.#kemKeys).decapsulate(ciphertext));
        return;
      }
      case "s":
        this.#remoteStatic = this.#takeSealed(cursor, X25519_BYTES);
        return;
      case "ee":
      case "es":
      case "se":
        this.#mixDiffieHellman(token);
        return;
    }
  }

  /** `es` is always the initiator's ephemeral with the responder's static key, `se` the reverse. */
  #mixDiffieHellman(token: "ee" | "es" | "se"): void {
    const ours = token === "ee" || (token === "es") === this.#options.initiator;
    const theirs = token === "ee" || (token === "se") === this.#options.initiator;
    const local = ours ? present(this.#ephemeral) : this.#options.localStatic;
    const remote = theirs ? present(this.#remoteEphemeral) : present(this.#remoteStatic);
    this.#symmetric.mixKey(x25519(local.privateKey, remote));
  }

  #takeSealed(cursor: { rest: Uint8Array }, length: number): Buffer {
    const sealedLength = length + (this.#symmetric.hasKey ? TAG_BYTES : 0);
    return this.#symmetric.decryptAndHash(take(cursor, sealedLength));
  }
}

function take(cursor: { rest: Uint8Array }, length: number): Uint8Array {
  if (cursor.rest.length < length)
    throw new CryptoError("ERR_LENGTH", "the handshake message is too short");
  const taken = Uint8Array.from(cursor.rest.subarray(0, length));
  cursor.rest = cursor.rest.subarray(length);
  return taken;
}

/** A pattern that asks for a key before it was sent is our mistake, not the peer's. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new CryptoError("ERR_STEP_REUSED", "handshake step out of order");
  return value;
}
