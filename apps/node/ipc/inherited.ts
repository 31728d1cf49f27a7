/**
 * The two descriptors that a worker or clerk is born with; it opens no others.
 *
 * @module
 */
import { Socket } from "node:net";

/** To the gateway: frames of `process-link.ts`. */
const GATEWAY_DESCRIPTOR = 3;
/** To the keeper: frames of `keeper-link.ts`; opened by the cell or starter, never by the process. */
const KEEPER_DESCRIPTOR = 4;

export function inheritedLinks(): { gateway: Socket; keeper: Socket } {
  return { gateway: adopt(GATEWAY_DESCRIPTOR), keeper: adopt(KEEPER_DESCRIPTOR) };
}

function adopt(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: true });
}
