/**
 * Receipts as a node and its warden sign them, for tests. Not part of the product.
 *
 * @module
 */
import { randomBytes, sign } from "node:crypto";
import {
  beforeWardenPart,
  ed25519FromSeed,
  generateNodeIdentity,
  openReceipt,
  receiptDocument,
  type GradedReceipt,
  type NodeIdentity,
  type VerifiedReceipt,
  type WardenPart,
} from "@phantoma/crypto";

const bytes = (value: number) => new Uint8Array(32).fill(value);

export class ReceiptMaker {
  readonly node: NodeIdentity;
  readonly warden = ed25519FromSeed(randomBytes(32));

  constructor(node = generateNodeIdentity()) {
    this.node = node;
  }

  /** As a profile has them. */
  get keys(): { readonly nodeKey: string; readonly wardenKey: string } {
    return { nodeKey: hex(this.node.signing.publicKey), wardenKey: hex(this.warden.publicKey) };
  }

  /** @param attempts as the warden says; absent: it says nothing */
  make(change: Partial<GradedReceipt> = {}, attempts?: bigint): VerifiedReceipt {
    const { publicKey, privateKey } = this.node.signing;
    const fields: GradedReceipt = {
      node: publicKey,
      epoch: 1,
      sequence: 1n,
      task: bytes(1),
      device: bytes(2),
      workerKey: bytes(3),
      model: bytes(4),
      release: bytes(5),
      certifiedAt: 1,
      endedAt: 2,
      grade: "C",
      cell: null,
      ...change,
      warden: null,
    };
    const unwitnessed = receiptDocument.sign(fields, privateKey);
    if (attempts === undefined) return this.open(unwitnessed);
    const seen = { attempts, unreported: 0n, policy: bytes(6), bootId: bytes(7).subarray(16) };
    const warden = { ...seen, signature: this.#sign(beforeWardenPart(unwitnessed), seen) };
    return this.open(receiptDocument.sign({ ...fields, warden }, privateKey));
  }

  /** As bpf/witness.c does. */
  #sign(begun: Uint8Array, seen: Omit<WardenPart, "signature">): Uint8Array {
    const numbers = Buffer.alloc(17);
    numbers[0] = 1;
    numbers.writeBigUInt64BE(seen.attempts, 1);
    numbers.writeBigUInt64BE(seen.unreported, 9);
    const domain = Buffer.from("phantoma receipt witness v1\0");
    const signed = Buffer.concat([domain, begun, numbers, seen.policy, seen.bootId]);
    return new Uint8Array(sign(null, signed, this.warden.privateKey));
  }

  open(document: Uint8Array): VerifiedReceipt {
    return openReceipt(document, this.node.signing.publicKey, this.warden.publicKey);
  }
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString("hex");
}
