/**
 * How a worker or clerk says that it ended in order: its cell passes that on, and sees the rest itself.
 *
 * @module
 */
import { CloseCode } from "@phantoma/protocol";

/** As in cell/ending.c. Node's own are 1 to 13, and 128 and up. */
export const ExitStatus = { finished: 0, failed: 1, timeout: 64, disconnected: 65 } as const;

/** @param code what the process told the gateway; `undefined` when the gateway had hung up */
export function exitStatusFor(code: number | undefined): number {
  switch (code) {
    case CloseCode.done:
      return ExitStatus.finished;
    case CloseCode.timeout:
      return ExitStatus.timeout;
    case CloseCode.died:
    case CloseCode.model:
      return ExitStatus.failed;
    default:
      // Revoked, or the other side broke the protocol: the line was cut before the task was done.
      return ExitStatus.disconnected;
  }
}
