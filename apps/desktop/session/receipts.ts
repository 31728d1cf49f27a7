/**
 * The receipt of a task that has just ended: asked for until the node has written it.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Receipt } from "../ipc/node.ts";
import type { KnownTasks } from "./known-tasks.ts";
import type { LiveControl } from "./node-client.ts";
import { receiptView } from "./receipt-view.ts";

/** The keeper writes a receipt when the process is gone; that takes one wipe, not seconds. */
const ATTEMPTS = 20;
const PAUSE_MS = 150;

/** @returns `null` where the node has none for this task */
export async function awaitReceipt(
  control: LiveControl,
  task: string,
  known: KnownTasks,
): Promise<Receipt | null> {
  for (let attempt = 1; ; attempt += 1) {
    const [signed] = await control.receipts({ task: Buffer.from(task, "hex"), limit: 1 });
    if (signed) return receiptView(signed, known.has(signed.receipt));
    if (attempt === ATTEMPTS) return null;
    await sleep(PAUSE_MS);
  }
}
