/** A receipt's two signatures: the node's over all of it, the warden's over its part and all before. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  bytesOf,
  keyFrom,
  parseCases,
  publicKeyOf,
  seedOf,
} from "../../vectors/document-values.ts";
import { beforeWardenPart, openReceipt, receiptDocument, type Receipt } from "./receipt.ts";

const path = new URL("../../vectors/documents/receipt-witness.txt", import.meta.url);
const vectors = parseCases(readFileSync(path, "utf8")).map((lines) => ({
  name: lines.get("case")!,
  node: bytesOf(lines.get("node")),
  warden: bytesOf(lines.get("public-key")),
  begun: bytesOf(lines.get("begun")),
  document: bytesOf(lines.get("document")),
}));
const nodeKey = keyFrom(seedOf("node"));
const forged = expect.objectContaining({ name: "CryptoError", code: "ERR_AUTHENTICATION" });

test.each(vectors)("$name: both signatures are genuine", ({ document, node, warden }) => {
  expect(openReceipt(document, node, warden).witness).toBe("verified");
  expect(openReceipt(document, node, undefined).witness).toBe("unverified");
});

test.each(vectors)("$name: the warden is asked for what it signs", ({ document, node, begun }) => {
  const { receipt } = openReceipt(document, node, undefined);
  const unwitnessed = receiptDocument.sign({ ...receipt, warden: null }, nodeKey);
  expect(Buffer.from(beforeWardenPart(unwitnessed))).toEqual(begun);
  expect(openReceipt(unwitnessed, node, publicKeyOf(seedOf("warden"))).witness).toBe("absent");
});

/** What a keeper that was taken over can do: sign anything with the node's key. */
test.each(vectors)("$name: the node's key forges no part of the warden's", (vector) => {
  const { receipt } = openReceipt(vector.document, vector.node, vector.warden);
  const part = receipt.warden!;
  const other = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 1);
  const altered: Record<string, Partial<Receipt>> = {
    epoch: { epoch: receipt.epoch === 0 ? 1 : 0 },
    sequence: { sequence: receipt.sequence ^ 1n },
    task: { task: other(receipt.task) },
    device: { device: other(receipt.device) },
    workerKey: { workerKey: other(receipt.workerKey) },
    model: { model: other(receipt.model) },
    release: { release: other(receipt.release) },
    certifiedAt: { certifiedAt: receipt.certifiedAt === 0 ? 1 : 0 },
    endedAt: { endedAt: receipt.endedAt === 0 ? 1 : 0 },
    cell: { cell: receipt.cell ? null : { end: "killed", wipedBytes: 1n, wipedAt: 1 } },
    attempts: { warden: { ...part, attempts: part.attempts ^ 1n } },
    unreported: { warden: { ...part, unreported: part.unreported ^ 1n } },
    policy: { warden: { ...part, policy: other(part.policy) } },
    bootId: { warden: { ...part, bootId: other(part.bootId) } },
    signature: { warden: { ...part, signature: other(part.signature) } },
  };
  for (const [field, change] of Object.entries(altered)) {
    const document = receiptDocument.sign({ ...receipt, ...change }, nodeKey);
    expect(() => openReceipt(document, vector.node, vector.warden), field).toThrow(forged);
  }
});

test("another warden's key, and another node's receipt, are refused", () => {
  const { document, node, warden } = vectors[1]!;
  expect(() => openReceipt(document, node, node)).toThrow(forged);
  const { receipt } = openReceipt(document, node, warden);
  const foreign = receiptDocument.sign({ ...receipt, node: warden }, nodeKey);
  expect(() => openReceipt(foreign, node, warden)).toThrow(
    expect.objectContaining({ code: "ERR_NOT_AUTHORISED" }),
  );
});
