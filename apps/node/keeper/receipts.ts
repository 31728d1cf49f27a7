/**
 * Receipts of ended tasks: signed when the worker's channel closes, kept in memory only.
 *
 * @module
 */
import {
  beforeWardenPart,
  receiptDocument,
  sameBytes,
  type GradedReceipt,
  type NodeIdentity,
  type WardenPart,
} from "@phantoma/crypto";

/** The last tasks of a busy day; an older receipt is gone unless a device fetched it. */
export const MAX_RECEIPTS = 10_000;

/** What the keeper knows of an ended task, itself or by its cell. */
export type TaskRecord = Omit<GradedReceipt, "node" | "epoch" | "sequence" | "warden">;

/** What the warden says of the task whose receipt begins so; `null` where it says nothing. */
export type AskWarden = (begun: Uint8Array) => Promise<WardenPart | null>;

export interface ReceiptQuery {
  /** Whose; absent for everybody's. */
  readonly device?: Uint8Array | undefined;
  readonly task?: Uint8Array | undefined;
  /** Only those with a lower number. */
  readonly before?: bigint | undefined;
}

interface KeptReceipt {
  readonly task: Uint8Array;
  readonly device: Uint8Array;
  readonly document: Uint8Array;
}

export class Receipts {
  readonly #identity: NodeIdentity;
  readonly #epoch: number;
  readonly #askWarden: AskWarden;
  #sequence = 0n;
  #last: Promise<void> = Promise.resolve();
  readonly #kept: KeptReceipt[] = [];

  constructor(identity: NodeIdentity, epoch: number, askWarden: AskWarden = async () => null) {
    this.#identity = identity;
    this.#epoch = epoch;
    this.#askWarden = askWarden;
  }

  get issued(): number {
    return Number(this.#sequence);
  }

  /**
   * Signs the receipt of a task that has just ended. What nobody measured is `null`.
   *
   * One after the other: a number that comes before a lower one would look like a receipt withheld.
   */
  issue(record: TaskRecord): Promise<void> {
    this.#last = this.#last.then(() => this.#issue(record));
    return this.#last;
  }

  async #issue(record: TaskRecord): Promise<void> {
    const fields = {
      node: this.#identity.signing.publicKey,
      epoch: this.#epoch,
      sequence: this.#sequence + 1n,
      ...record,
      warden: null,
    };
    const { privateKey } = this.#identity.signing;
    const unwitnessed = receiptDocument.sign(fields, privateKey);
    const warden = await this.#askWarden(beforeWardenPart(unwitnessed));
    const document = warden ? receiptDocument.sign({ ...fields, warden }, privateKey) : unwitnessed;
    this.#sequence += 1n;
    this.#kept.push({ task: record.task, device: record.device, document });
    if (this.#kept.length > MAX_RECEIPTS) this.#kept.shift();
  }

  /** The newest receipts first. */
  find({ device, task, before }: ReceiptQuery, limit: number): Uint8Array[] {
    const found: Uint8Array[] = [];
    // They are kept in the order of their numbers, without a gap, and the last one's is known.
    const newer =
      before === undefined || before > this.#sequence ? 0n : this.#sequence + 1n - before;
    const last = this.#kept.length - 1 - Number(newer);
    for (let index = last; index >= 0 && found.length < limit; index -= 1) {
      const kept = this.#kept[index]!;
      if (device && !sameBytes(kept.device, device)) continue;
      if (task && !sameBytes(kept.task, task)) continue;
      found.push(kept.document);
    }
    return found;
  }
}
