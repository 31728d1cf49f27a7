/**
 * What a gateway and the single-use process behind a tunnel say to each other.
 *
 * The gateway says these before it hands over the ticket; after that every `data` is opaque to it.
 *
 *   gateway                                    worker or clerk
 *   warm {model, threads}      ──────────>     loads the model
 *                              <──────────     ready {threads}
 *   assign {ticket}            ──────────>     has its key certified, waits for message 1
 *   data                       <─────────>     Noise messages and sealed records
 *   ask                        ──────────>     one steady record, please
 *                              <──────────     steady {record}
 *                              <──────────     pace {on or off}
 *                              <──────────     turn {wants or done}
 *   go                         ──────────>     may compute now
 *                              <──────────     bye {close code}
 *
 * @module
 */
import { MAX_SEALED_BYTES } from "@phantoma/crypto";

/** Bytes of a frame's body: one Noise message is the largest. */
export const MAX_PROCESS_FRAME_BYTES = MAX_SEALED_BYTES;

export const ToProcess = { warm: 1, assign: 2, data: 3, ask: 4, go: 5 } as const;
export const FromProcess = { ready: 1, data: 2, steady: 3, pace: 4, turn: 5, bye: 6 } as const;

export interface WarmOrder {
  /** SHA-256 of the model file. */
  readonly model: Uint8Array;
  /** How many threads the last worker found best; 0 lets this one find out. */
  readonly threads: number;
}

export function encodeWarm({ model, threads }: WarmOrder): Buffer {
  const body = Buffer.alloc(34);
  body.set(model, 0);
  body.writeUInt16BE(threads, 32);
  return body;
}

/** @throws RangeError */
export function decodeWarm(body: Buffer): WarmOrder {
  assertLength(body, 34);
  return { model: new Uint8Array(body.subarray(0, 32)), threads: body.readUInt16BE(32) };
}

export function encodeNumber(value: number): Buffer {
  const body = Buffer.alloc(2);
  body.writeUInt16BE(value);
  return body;
}

/** @throws RangeError */
export function decodeNumber(body: Buffer): number {
  assertLength(body, 2);
  return body.readUInt16BE();
}

function assertLength(body: Buffer, length: number): void {
  if (body.length !== length) throw new RangeError("a frame of the wrong length");
}
