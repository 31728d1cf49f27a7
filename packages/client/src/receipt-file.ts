/**
 * Receipts in a file that anybody can check, without a node and without a key of their own.
 *
 *   offset   size  field
 *        0     16  "phantoma receipt"
 *       16      1  version: 1
 *       17     32  the node's Ed25519 key
 *       49 1 or 33 0; or 1 and the warden's Ed25519 key, exactly when a receipt has a warden's part
 *        …      2  how many receipts, big-endian
 *        …         each: length (2), document
 *
 * Every byte is covered by a signature or compared, so a changed file is refused. The keys are the file's
 * own word until somebody compares them: whoever checks says which node is meant.
 *
 * @module
 */
import { CryptoError, fingerprint, openReceipt, type VerifiedReceipt } from "@phantoma/crypto";
import { ClientError } from "./client-error.ts";
import type { NodeProfile } from "./node-profile.ts";

/** As many as a node gives at once. */
export const MAX_FILE_RECEIPTS = 100;
/** 100 receipts of at most 438 bytes, with room; a longer file is refused before it is looked at. */
export const MAX_RECEIPT_FILE_BYTES = 64 * 1024;

const MAGIC = Buffer.from("phantoma receipt", "ascii");
const VERSION = 1;
const KEY_BYTES = 32;

export interface ReceiptFile {
  readonly node: Uint8Array;
  /** `null` where no receipt has a warden's part. */
  readonly warden: Uint8Array | null;
  /** In the file's order. */
  readonly receipts: readonly VerifiedReceipt[];
}

/** Whose receipts they must be; a fingerprint's spaces do not matter. */
export interface ExpectedKeys {
  readonly node?: string | undefined;
  readonly warden?: string | undefined;
}

/**
 * @param receipts of one node, each verified
 * @throws {@link ClientError} `ERR_RECEIPT_FILE` when the warden's key is needed and was never told
 */
export function encodeReceiptFile(
  { nodeKey, wardenKey }: Pick<NodeProfile, "nodeKey" | "wardenKey">,
  receipts: readonly Pick<VerifiedReceipt, "receipt" | "document">[],
): Uint8Array {
  if (receipts.length === 0 || receipts.length > MAX_FILE_RECEIPTS)
    throw new ClientError("ERR_RECEIPT_FILE", `a file has 1 to ${MAX_FILE_RECEIPTS} receipts`);
  const isWitnessed = receipts.some(({ receipt }) => receipt.warden !== null);
  if (isWitnessed && wardenKey === undefined)
    throw new ClientError("ERR_RECEIPT_FILE", "this device was never told the warden's key");
  return new Uint8Array(
    Buffer.concat([
      MAGIC,
      Buffer.of(VERSION),
      Buffer.from(nodeKey, "hex"),
      isWitnessed ? Buffer.from(`01${wardenKey}`, "hex") : Buffer.of(0),
      u16(receipts.length),
      ...receipts.flatMap(({ document }) => [u16(document.length), document]),
    ]),
  );
}

/**
 * Reads a file and checks every signature in it.
 *
 * @throws {@link ClientError} `ERR_RECEIPT_FILE` for what is no whole file of receipts,
 * `ERR_RECEIPT_FORGED` for what nobody signed so, `ERR_RECEIPT_OTHER_NODE` for another node's
 */
export function openReceiptFile(untrusted: Uint8Array, expected: ExpectedKeys = {}): ReceiptFile {
  if (untrusted.length > MAX_RECEIPT_FILE_BYTES) refuse("it is longer than any file of receipts");
  const input = new Input(untrusted);
  if (!input.take(MAGIC.length).equals(MAGIC)) refuse("it does not begin as one");
  if (input.number(1) !== VERSION) refuse("it is of another version");
  const node = new Uint8Array(input.take(KEY_BYTES));
  const presence = input.number(1);
  if (presence > 1) refuse("neither with nor without a warden's key");
  const warden = presence === 1 ? new Uint8Array(input.take(KEY_BYTES)) : null;
  const count = input.number(2);
  if (count === 0 || count > MAX_FILE_RECEIPTS) refuse("too many receipts, or none");
  const documents = Array.from({ length: count }, () => input.take(input.number(2)));
  if (input.left > 0) refuse("something follows the last receipt");
  assertExpected("node", node, expected.node);
  // Its own word for the warden's key is nobody's: without a comparison no part of the warden's is verified.
  const isCompared = expected.warden !== undefined;
  const receipts = documents
    .map((document) => open(document, node, warden))
    .map((one) =>
      isCompared || one.witness === "absent" ? one : { ...one, witness: "unverified" as const },
    );
  if (receipts.some(({ receipt }) => receipt.warden !== null) !== (warden !== null))
    refuse("a warden's key without its part, or a part without the key");
  const numbers = receipts.map(({ receipt }) => `${receipt.epoch} ${receipt.sequence}`);
  if (new Set(numbers).size < numbers.length)
    throw new ClientError("ERR_RECEIPT_FORGED", "two receipts have the same number");
  if (expected.warden !== undefined && !warden)
    throw new ClientError("ERR_RECEIPT_OTHER_NODE", "no receipt in it has a warden's part");
  if (warden) assertExpected("warden", warden, expected.warden);
  return { node, warden, receipts };
}

function open(document: Buffer, node: Uint8Array, warden: Uint8Array | null): VerifiedReceipt {
  try {
    return openReceipt(document, node, warden ?? undefined);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    if (error.code === "ERR_AUTHENTICATION" || error.code === "ERR_NOT_AUTHORISED")
      throw new ClientError("ERR_RECEIPT_FORGED", error.message);
    return refuse(error.message);
  }
}

function assertExpected(whose: string, key: Uint8Array, expected: string | undefined): void {
  if (expected === undefined) return;
  const said = expected.replaceAll(/\s/g, "").toLowerCase();
  if (said === fingerprint(key).replaceAll(" ", "")) return;
  if (said === Buffer.from(key).toString("hex")) return;
  throw new ClientError(
    "ERR_RECEIPT_OTHER_NODE",
    `the ${whose}'s key in it has the fingerprint ${fingerprint(key)}`,
  );
}

/** Walks over untrusted bytes and never past their end. */
class Input {
  #rest: Buffer;

  constructor(untrusted: Uint8Array) {
    this.#rest = Buffer.from(untrusted.buffer, untrusted.byteOffset, untrusted.byteLength);
  }

  get left(): number {
    return this.#rest.length;
  }

  take(length: number): Buffer {
    if (this.#rest.length < length) refuse("it is cut off");
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  number(width: 1 | 2): number {
    return this.take(width).readUIntBE(0, width);
  }
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function refuse(why: string): never {
  throw new ClientError("ERR_RECEIPT_FILE", `this is no file of receipts: ${why}`);
}
