/**
 * The descriptors that a worker or clerk is born with; it opens no others.
 *
 * @module
 */
import { closeSync, writeSync } from "node:fs";
import { Socket } from "node:net";

/** To the gateway: frames of `process-link.ts`. */
const GATEWAY_DESCRIPTOR = 3;
/** To the keeper: frames of `keeper-link.ts`; opened by the cell or starter, never by the process. */
const KEEPER_DESCRIPTOR = 4;

/** To the warden, of a worker whose cell was given one. Datagrams: a word goes whole or not at all. */
const WITNESS_DESCRIPTOR = 5;

/**
 * Says a worker's one-time key to the warden, before anybody else hears it. The kernel tells the warden
 * whose word it is. A warden that does not listen leaves a receipt without a witness, and no error here.
 *
 * There is no second word: the task that comes next has no way to the warden.
 */
export function tellWitness(key: Uint8Array): void {
  try {
    writeSync(WITNESS_DESCRIPTOR, key);
  } catch {
    // Nobody listens, or too many speak.
  } finally {
    closeSync(WITNESS_DESCRIPTOR);
  }
}

export function inheritedLinks(): { gateway: Socket; keeper: Socket } {
  return { gateway: adopt(GATEWAY_DESCRIPTOR), keeper: adopt(KEEPER_DESCRIPTOR) };
}

function adopt(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: true });
}
