/**
 * Receipts of ended tasks: signed when the worker's channel closes, kept in memory only.
 *
 * @module
 */
import { receiptDocument, sameBytes, type NodeIdentity, type Receipt } from "@phantoma/crypto";

/** The last tasks of a busy day; an older receipt is gone unless a device fetched it. */
export const MAX_RECEIPTS = 10_000;

/** What the keeper itself knows of a task. */
export type TaskRecord = Pick<
  Receipt,
  "task" | "device" | "workerKey" | "model" | "release" | "certifiedAt"
>;

interface KeptReceipt {
  readonly task: Uint8Array;
  readonly device: Uint8Array;
  readonly document: Uint8Array;
}

export class Receipts {
  readonly #identity: NodeIdentity;
  readonly #epoch: number;
  #sequence = 0n;
  readonly #kept: KeptReceipt[] = [];

  constructor(identity: NodeIdentity, epoch: number) {
    this.#identity = identity;
    this.#epoch = epoch;
  }

  get issued(): number {
    return Number(this.#sequence);
  }

  /** Signs the receipt of a task that has just ended. What nobody measured is `null`. */
  issue(record: TaskRecord, endedAt: number, cell: Receipt["cell"]): void {
    this.#sequence += 1n;
    const document = receiptDocument.sign(
      {
        node: this.#identity.signing.publicKey,
        epoch: this.#epoch,
        sequence: this.#sequence,
        ...record,
        endedAt,
        cell,
        warden: null,
      },
      this.#identity.signing.privateKey,
    );
    this.#kept.push({ task: record.task, device: record.device, document });
    if (this.#kept.length > MAX_RECEIPTS) this.#kept.shift();
  }

  /**
   * The newest receipts first.
   *
   * @param device whose; `undefined` for everybody's
   */
  find(device: Uint8Array | undefined, task: Uint8Array | undefined, limit: number): Uint8Array[] {
    const found: Uint8Array[] = [];
    for (let index = this.#kept.length - 1; index >= 0 && found.length < limit; index -= 1) {
      const kept = this.#kept[index]!;
      if (device && !sameBytes(kept.device, device)) continue;
      if (task && !sameBytes(kept.task, task)) continue;
      found.push(kept.document);
    }
    return found;
  }
}
