/**
 * Who sent a message, from what Electron itself says of it. The message has no part in it.
 *
 * @module
 */
import type { Sender } from "../ipc/router.ts";

/** What is used of Electron's event; a frame that is gone is `null`. */
export interface Sent {
  readonly sender: { readonly id: number; readonly mainFrame: unknown };
  readonly senderFrame: { readonly origin: string; readonly parent: unknown } | null;
}

/** @param ours ids of the pages that the window factory made */
export function senderOf({ sender, senderFrame }: Sent, ours: ReadonlySet<number>): Sender {
  return {
    isOurs: ours.has(sender.id),
    isTopFrame:
      senderFrame !== null && senderFrame.parent === null && senderFrame === sender.mainFrame,
    origin: senderFrame?.origin ?? null,
  };
}
