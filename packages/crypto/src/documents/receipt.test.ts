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
import {
  beforeWardenPart,
  firstReceiptDocument,
  openReceipt,
  receiptDocument,
  type GradedReceipt,
} from "./receipt.ts";

const vectors = vectorsOf("receipt-2-witness");
const firstVectors = vectorsOf("receipt-witness");

function vectorsOf(file: string) {
  const path = new URL(`../../vectors/documents/${file}.txt`, import.meta.url);
  return parseCases(readFileSync(path, "utf8")).map((lines) => ({
    name: lines.get("case")!,
    node: bytesOf(lines.get("node")),
    warden: bytesOf(lines.get("public-key")),
    begun: bytesOf(lines.get("begun")),
    document: bytesOf(lines.get("document")),
  }));
}

const nodeKey = keyFrom(seedOf("node"));
const forged = expect.objectContaining({ name: "CryptoError", code: "ERR_AUTHENTICATION" });

/** Of the version that has a grade. */
function opened(...signed: Parameters<typeof openReceipt>): GradedReceipt {
  const { receipt } = openReceipt(...signed);
  return { ...receipt, grade: receipt.grade! };
}

test.each(vectors)("$name: both signatures are genuine", ({ document, node, warden }) => {
  expect(openReceipt(document, node, warden).witness).toBe("verified");
  expect(openReceipt(document, node, undefined).witness).toBe("unverified");
});

test.each(vectors)("$name: the warden is asked for what it signs", ({ document, node, begun }) => {
  const receipt = opened(document, node, undefined);
  const unwitnessed = receiptDocument.sign({ ...receipt, warden: null }, nodeKey);
  expect(Buffer.from(beforeWardenPart(unwitnessed))).toEqual(begun);
  expect(openReceipt(unwitnessed, node, publicKeyOf(seedOf("warden"))).witness).toBe("absent");
});

/** What a keeper that was taken over can do: sign anything with the node's key. */
test.each(vectors)("$name: the node's key forges no part of the warden's", (vector) => {
  const receipt = opened(vector.document, vector.node, vector.warden);
  const part = receipt.warden!;
  const other = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 1);
  const altered: Record<string, Partial<GradedReceipt>> = {
    epoch: { epoch: receipt.epoch === 0 ? 1 : 0 },
    sequence: { sequence: receipt.sequence ^ 1n },
    task: { task: other(receipt.task) },
    device: { device: other(receipt.device) },
    workerKey: { workerKey: other(receipt.workerKey) },
    model: { model: other(receipt.model) },
    release: { release: other(receipt.release) },
    certifiedAt: { certifiedAt: receipt.certifiedAt === 0 ? 1 : 0 },
    endedAt: { endedAt: receipt.endedAt === 0 ? 1 : 0 },
    grade: { grade: receipt.grade === "A" ? "B" : "A" },
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

test.each(firstVectors)("$name, first version: it still verifies, with no grade", (vector) => {
  const { receipt, witness } = openReceipt(vector.document, vector.node, vector.warden);
  expect(witness).toBe("verified");
  expect(receipt.grade).toBeNull();
});

test.each(firstVectors)("$name, first version: read as the second it is refused", (vector) => {
  const { receipt } = openReceipt(vector.document, vector.node, vector.warden);
  const graded = Buffer.from(vector.document);
  graded[1] = 2;
  expect(() => openReceipt(graded, vector.node, vector.warden)).toThrow();
  // Nor does the node's key carry the warden's part of one version into the other.
  const lifted = receiptDocument.sign({ ...receipt, grade: "A" }, nodeKey);
  expect(() => openReceipt(lifted, vector.node, vector.warden)).toThrow(forged);
});

test("the grade cannot be left out by going back to the first version", () => {
  for (const { document, node, warden } of vectors) {
    const { grade: _, ...receipt } = openReceipt(document, node, warden).receipt;
    const lowered = firstReceiptDocument.sign(receipt, nodeKey);
    expect(() => openReceipt(lowered, node, warden)).toThrow(forged);
  }
});

test("a version that nobody knows is refused", () => {
  const { document, node } = vectors[1]!;
  for (const version of [0, 3, 255]) {
    const other = Buffer.from(document);
    other[1] = version;
    expect(() => openReceipt(other, node, undefined)).toThrow(
      expect.objectContaining({ code: "ERR_DOCUMENT_TYPE" }),
    );
  }
});

test("another warden's key, and another node's receipt, are refused", () => {
  const { document, node, warden } = vectors[1]!;
  expect(() => openReceipt(document, node, node)).toThrow(forged);
  const receipt = opened(document, node, warden);
  const foreign = receiptDocument.sign({ ...receipt, node: warden }, nodeKey);
  expect(() => openReceipt(foreign, node, warden)).toThrow(
    expect.objectContaining({ code: "ERR_NOT_AUTHORISED" }),
  );
});
