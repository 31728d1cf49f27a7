/**
 * A tunnel handshake with fixed keys, restartable at each of its steps as often as a test wants.
 *
 * @module
 */
import { HandshakeState, XXHFS } from "../src/noise/handshake-state.ts";
import {
  ExpectMessage1,
  ExpectMessage2,
  type ExpectMessage3,
  type OfferMessage2,
} from "../src/noise/handshake.ts";
import type { MlKem } from "../src/ml-kem.ts";
import type { X25519KeyPair } from "../src/x25519.ts";
import { x25519FromPrivate } from "../src/x25519.ts";
import { libsodiumFrom } from "./derandomised-ml-kem.ts";
import { digest } from "./document-values.ts";

const pairs = {
  device: x25519FromPrivate(digest("device", 32)),
  deviceEphemeral: x25519FromPrivate(digest("device ephemeral", 32)),
  worker: x25519FromPrivate(digest("worker", 32)),
  workerEphemeral: x25519FromPrivate(digest("worker ephemeral", 32)),
};

export const fixedMlKem = await libsodiumFrom({
  keySeed: digest("KEM key", 64),
  encapsulationSeed: digest("KEM encapsulation", 32),
});

/** What a test may replace on one side. */
export interface Changed {
  readonly prologue?: Uint8Array;
  readonly localStatic?: X25519KeyPair;
  readonly fixedEphemeral?: X25519KeyPair;
  readonly mlKem?: MlKem;
}

export const certificate: Buffer = digest("certificate", 316);

export function deviceState(changed: Changed = {}): HandshakeState {
  return new HandshakeState({
    pattern: XXHFS,
    initiator: true,
    prologue: Buffer.from("prologue"),
    localStatic: pairs.device,
    fixedEphemeral: pairs.deviceEphemeral,
    mlKem: fixedMlKem,
    ...changed,
  });
}

export function workerState(changed: Changed = {}): HandshakeState {
  return new HandshakeState({
    pattern: XXHFS,
    initiator: false,
    prologue: Buffer.from("prologue"),
    localStatic: pairs.worker,
    fixedEphemeral: pairs.workerEphemeral,
    mlKem: fixedMlKem,
    ...changed,
  });
}

/** A device that has sent message 1, which is always {@link message1}. */
export function deviceAwaiting2(changed?: Changed): ExpectMessage2 {
  const state = deviceState(changed);
  state.writeMessage(new Uint8Array(0));
  return new ExpectMessage2(state);
}

export function workerAwaiting1(changed?: Changed): ExpectMessage1 {
  return new ExpectMessage1(workerState(changed));
}

export function workerOffering2(changed?: Changed): OfferMessage2 {
  return workerAwaiting1(changed).read(message1);
}

/** A worker that has sent message 2, which is always {@link message2}. */
export function workerAwaiting3(changed?: Changed): ExpectMessage3 {
  return workerOffering2(changed).write(certificate).next;
}

export const message1: Buffer = deviceState().writeMessage(new Uint8Array(0));
export const message2: Buffer = workerOffering2().write(certificate).message2;
export const message3: Buffer = deviceAwaiting2().read(message2).next.write().message3;
