/**
 * The tunnel's handshake, one type per state: a step that is not due does not exist.
 *
 *   initiator (a device)                            responder (a worker or clerk)
 *   startInitiator ── message 1: e, e1 ──────────>  startResponder → ExpectMessage1
 *   ExpectMessage2 <── message 2: e, ee, ekem1, s, es + certificate ── OfferMessage2
 *   OfferMessage3  ── message 3: s, se ──────────>  ExpectMessage3
 *   Session                                         Session
 *
 * The initiator holds the responder's certificate before it must reveal itself with message 3.
 * Every step works once. Specified in PROTOCOL.md, section 3.
 *
 * @module
 */
import { CryptoError } from "../crypto-error.ts";
import { loadMlKem, ML_KEM_CIPHERTEXT_BYTES, ML_KEM_PUBLIC_BYTES } from "../ml-kem.ts";
import type { MlKem } from "../ml-kem.ts";
import { X25519_BYTES, type X25519KeyPair } from "../x25519.ts";
import { TAG_BYTES } from "./cipher-state.ts";
import { HandshakeState, XXHFS } from "./handshake-state.ts";
import { Session } from "./session.ts";

/** Exactly: nothing may ride on a message that is not yet encrypted. */
export const MESSAGE_1_BYTES = X25519_BYTES + ML_KEM_PUBLIC_BYTES;

/** Without its payload, the certificate. */
export const MESSAGE_2_MIN_BYTES =
  X25519_BYTES + ML_KEM_CIPHERTEXT_BYTES + TAG_BYTES + X25519_BYTES + TAG_BYTES + TAG_BYTES;

/** Exactly: the first request follows as a record of its own. */
export const MESSAGE_3_BYTES = X25519_BYTES + TAG_BYTES + TAG_BYTES;

/** Room for a certificate (about 400 bytes) and later evidence; more is refused unread. */
export const MAX_MESSAGE_2_PAYLOAD_BYTES = 32_768;

export interface HandshakeParty {
  /** Our static key: a device's lasting one, or a worker's one-time one. */
  readonly localStatic: X25519KeyPair;
  /** What both ends must agree on; see {@link tunnelPrologue} in packages/protocol. */
  readonly prologue: Uint8Array;
  /** Which ML-KEM to use; by default what {@link loadMlKem} finds. */
  readonly mlKem?: MlKem;
}

/** The device's side: gives message 1, and the state that waits for message 2. */
export async function startInitiator(
  party: HandshakeParty,
): Promise<{ message1: Buffer; next: ExpectMessage2 }> {
  const state = await newState(party, true);
  const message1 = state.writeMessage(new Uint8Array(0));
  return { message1, next: new ExpectMessage2(state) };
}

/** The worker's side. */
export async function startResponder(party: HandshakeParty): Promise<ExpectMessage1> {
  return new ExpectMessage1(await newState(party, false));
}

/** Initiator, after message 1: the only thing it can do is read message 2. */
export class ExpectMessage2 {
  readonly #once: Once;

  constructor(state: HandshakeState) {
    this.#once = new Once(state);
  }

  /**
   * @returns the responder's static key and its certificate bytes, which the caller must check
   * before it calls {@link OfferMessage3.write}
   * @throws {@link CryptoError} `ERR_LENGTH`, `ERR_BAD_KEY`, `ERR_AUTHENTICATION`, `ERR_STEP_REUSED`
   */
  read(untrusted: Uint8Array): {
    responderKey: Uint8Array;
    certificate: Buffer;
    next: OfferMessage3;
  } {
    return this.#once.step((state) => {
      assertBetween(untrusted, MESSAGE_2_MIN_BYTES, MAX_MESSAGE_2_PAYLOAD_BYTES);
      const certificate = state.readMessage(untrusted);
      return { responderKey: state.remoteStatic!, certificate, next: new OfferMessage3(state) };
    });
  }
}

/** Initiator, certificate in hand: it may reveal itself, or drop this object. */
export class OfferMessage3 {
  readonly #once: Once;

  constructor(state: HandshakeState) {
    this.#once = new Once(state);
  }

  /** The certificate was not the expected one: erases the handshake, reveals nothing. */
  refuse(): void {
    this.#once.step((state) => state.erase());
  }

  /** @throws {@link CryptoError} `ERR_STEP_REUSED` */
  write(): { message3: Buffer; session: Session } {
    return this.#once.step((state) => {
      const message3 = state.writeMessage(new Uint8Array(0));
      return { message3, session: new Session(state.finish()) };
    });
  }
}

/** Responder, at its start: the only thing it can do is read message 1. */
export class ExpectMessage1 {
  readonly #once: Once;

  constructor(state: HandshakeState) {
    this.#once = new Once(state);
  }

  /** @throws {@link CryptoError} `ERR_LENGTH` or `ERR_STEP_REUSED` */
  read(untrusted: Uint8Array): OfferMessage2 {
    return this.#once.step((state) => {
      assertBetween(untrusted, MESSAGE_1_BYTES, 0);
      state.readMessage(untrusted);
      return new OfferMessage2(state);
    });
  }
}

/** Responder, with message 1 read. */
export class OfferMessage2 {
  readonly #once: Once;

  constructor(state: HandshakeState) {
    this.#once = new Once(state);
  }

  /** @throws {@link CryptoError} `ERR_BAD_KEY`, `ERR_LENGTH` or `ERR_STEP_REUSED` */
  write(certificate: Uint8Array): { message2: Buffer; next: ExpectMessage3 } {
    return this.#once.step((state) => {
      if (certificate.length > MAX_MESSAGE_2_PAYLOAD_BYTES)
        throw new CryptoError("ERR_LENGTH", "the certificate is too long");
      return { message2: state.writeMessage(certificate), next: new ExpectMessage3(state) };
    });
  }
}

/** Responder, after message 2: learns who the device is. */
export class ExpectMessage3 {
  readonly #once: Once;

  constructor(state: HandshakeState) {
    this.#once = new Once(state);
  }

  /**
   * @returns the device's static key, proven; the caller compares it with its certificate
   * @throws {@link CryptoError} `ERR_LENGTH`, `ERR_BAD_KEY`, `ERR_AUTHENTICATION`, `ERR_STEP_REUSED`
   */
  read(untrusted: Uint8Array): { deviceKey: Uint8Array; session: Session } {
    return this.#once.step((state) => {
      assertBetween(untrusted, MESSAGE_3_BYTES, 0);
      state.readMessage(untrusted);
      return { deviceKey: state.remoteStatic!, session: new Session(state.finish()) };
    });
  }
}

async function newState(party: HandshakeParty, initiator: boolean): Promise<HandshakeState> {
  const mlKem = party.mlKem ?? (await loadMlKem());
  const { localStatic, prologue } = party;
  return new HandshakeState({ pattern: XXHFS, initiator, prologue, localStatic, mlKem });
}

/** Hands a handshake state to exactly one step; a failed step ends the handshake. */
class Once {
  #state: HandshakeState | undefined;

  constructor(state: HandshakeState) {
    this.#state = state;
  }

  step<T>(action: (state: HandshakeState) => T): T {
    const state = this.#state;
    if (!state) throw new CryptoError("ERR_STEP_REUSED", "this handshake step was already taken");
    this.#state = undefined;
    try {
      return action(state);
    } catch (error) {
      state.erase();
      throw error;
    }
  }
}

function assertBetween(untrusted: Uint8Array, min: number, payload: number): void {
  if (untrusted.length < min || untrusted.length > min + payload)
    throw new CryptoError("ERR_LENGTH", `a handshake message of ${untrusted.length} bytes`);
}
