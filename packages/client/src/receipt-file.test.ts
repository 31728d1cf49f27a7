/** A file of receipts: whole, or refused with the code that says why. */
import { readFileSync } from "node:fs";
import {
  fingerprint,
  firstReceiptDocument,
  receiptDocument,
  type GradedReceipt,
} from "@phantoma/crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeReceiptFile,
  MAX_FILE_RECEIPTS,
  MAX_RECEIPT_FILE_BYTES,
  openReceiptFile,
} from "./receipt-file.ts";
import { ReceiptMaker } from "./test-receipt.ts";

const maker = new ReceiptMaker();
const cell = { end: "finished", wipedBytes: 5n, wipedAt: 6 } as const;
const silent = maker.make({ sequence: 1n });
const witnessed = maker.make({ sequence: 2n, cell }, 3n);
const files = {
  "one without a warden's part": encodeReceiptFile(maker.keys, [silent]),
  "one with a warden's part": encodeReceiptFile(maker.keys, [witnessed]),
  several: encodeReceiptFile(maker.keys, [witnessed, silent, maker.make({ sequence: 9n }, 0n)]),
};
const failing = (code: string) => expect.objectContaining({ name: "ClientError", code });

/** The file again, with its keys and documents as they are given. */
function file(parts: {
  node?: Uint8Array;
  warden?: Uint8Array | null;
  count?: number;
  documents: Uint8Array[];
}) {
  const { documents, count = documents.length, warden = null } = parts;
  const { node = maker.node.signing.publicKey } = parts;
  const u16 = (value: number) => Buffer.of(value >> 8, value & 255);
  return Buffer.concat([
    Buffer.from("phantoma receipt"),
    Buffer.of(1),
    node,
    warden ? Buffer.concat([Buffer.of(1), warden]) : Buffer.of(0),
    u16(count),
    ...documents.flatMap((document) => [u16(document.length), document]),
  ]);
}

test("a file of receipts of the first version is read, and they have no grade", () => {
  const path = "../../crypto/vectors/documents/receipt-witness.txt";
  const lines = readFileSync(new URL(path, import.meta.url), "utf8").split("\n");
  const last = (name: string) =>
    Buffer.from(lines.findLast((line) => line.startsWith(`${name} `))!.split(" ")[1]!, "hex");
  const [node, warden, document] = [last("node"), last("public-key"), last("document")];
  const whole = file({ node, warden, documents: [document] });
  const [first] = openReceiptFile(whole, { warden: warden.toString("hex") }).receipts;
  expect(first).toMatchObject({ receipt: { grade: null }, witness: "verified" });
  document[1] = 2;
  expect(() => openReceiptFile(file({ node, warden, documents: [document] }))).toThrow();
});

test("receipts of both versions may lie in one file", () => {
  const { grade: _, ...fields } = silent.receipt;
  const first = firstReceiptDocument.sign(fields, maker.node.signing.privateKey);
  const { document } = maker.make({ sequence: 2n, grade: "A" });
  const { receipts } = openReceiptFile(file({ documents: [first, document] }));
  expect(receipts.map(({ receipt }) => receipt.grade)).toEqual([null, "A"]);
});

describe.each(Object.entries(files))("%s", (_name, whole) => {
  test("is read as it was written", () => {
    const { node, warden, receipts } = openReceiptFile(whole);
    expect(node).toEqual(maker.node.signing.publicKey);
    expect(warden).toEqual(
      receipts.some(({ receipt }) => receipt.warden) ? maker.warden.publicKey : null,
    );
    for (const { receipt, witness } of receipts)
      expect(witness).toBe(receipt.warden ? "unverified" : "absent");
    expect(encodeReceiptFile(maker.keys, receipts)).toEqual(whole);
  });

  test("has a verified witness only where somebody compared the warden's key", () => {
    const { warden } = openReceiptFile(whole);
    if (!warden) return;
    const compared = openReceiptFile(whole, { warden: Buffer.from(warden).toString("hex") });
    for (const { receipt, witness } of compared.receipts)
      expect(witness).toBe(receipt.warden ? "verified" : "absent");
  });

  test("is refused with any byte flipped", () => {
    for (let index = 0; index < whole.length; index += 1) {
      const changed = Buffer.from(whole);
      changed[index]! ^= 1 << (index % 8);
      expectRefused(changed, `byte ${index}`);
    }
  });

  test("is refused cut anywhere, or with anything after it", () => {
    for (let length = 0; length < whole.length; length += 1)
      expect(() => openReceiptFile(whole.subarray(0, length))).toThrow(failing("ERR_RECEIPT_FILE"));
    for (const more of [Buffer.of(0), whole, Buffer.alloc(438)])
      expect(() => openReceiptFile(Buffer.concat([whole, more]))).toThrow(
        failing("ERR_RECEIPT_FILE"),
      );
  });

  test("is another node's when another node is asked for", () => {
    const { publicKey } = maker.node.signing;
    const hex = Buffer.from(publicKey).toString("hex");
    for (const node of [hex, fingerprint(publicKey), fingerprint(publicKey).replaceAll(" ", "")])
      expect(() => openReceiptFile(whole, { node })).not.toThrow();
    for (const node of ["", "01".repeat(32), fingerprint(maker.warden.publicKey)])
      expect(() => openReceiptFile(whole, { node })).toThrow(failing("ERR_RECEIPT_OTHER_NODE"));
  });
});

test("a warden's key is compared too, and must have said something", () => {
  const warden = fingerprint(maker.warden.publicKey);
  expect(() => openReceiptFile(files["several"], { warden })).not.toThrow();
  expect(() => openReceiptFile(files["several"], { warden: "1" })).toThrow(
    failing("ERR_RECEIPT_OTHER_NODE"),
  );
  expect(() => openReceiptFile(files["one without a warden's part"], { warden })).toThrow(
    failing("ERR_RECEIPT_OTHER_NODE"),
  );
});

test("what a keeper that was taken over signs in the warden's name is forged", () => {
  const { privateKey } = maker.node.signing;
  const warden = witnessed.receipt.warden!;
  const sign = (change: Partial<GradedReceipt>) =>
    receiptDocument.sign({ ...witnessed.receipt, grade: "C", ...change }, privateKey);
  const changes: readonly Partial<GradedReceipt>[] = [
    { sequence: 3n },
    { grade: "A" },
    { warden: { ...warden, attempts: 0n } },
    { cell: null },
  ];
  for (const change of changes)
    expect(() =>
      openReceiptFile(file({ warden: maker.warden.publicKey, documents: [sign(change)] })),
    ).toThrow(failing("ERR_RECEIPT_FORGED"));
});

test("two receipts of one number are two stories", () => {
  const documents = [silent.document, maker.make({ sequence: 1n, endedAt: 9 }).document];
  expect(() => openReceiptFile(file({ documents }))).toThrow(failing("ERR_RECEIPT_FORGED"));
  expect(() => openReceiptFile(file({ documents: [silent.document, silent.document] }))).toThrow(
    failing("ERR_RECEIPT_FORGED"),
  );
});

test("another node's receipt, or none of ours, is not among them", () => {
  const foreign = new ReceiptMaker().make({ sequence: 7n });
  expect(() => openReceiptFile(file({ documents: [silent.document, foreign.document] }))).toThrow(
    failing("ERR_RECEIPT_FORGED"),
  );
  const otherKind = Buffer.from(silent.document);
  otherKind[0] = 1;
  for (const documents of [[otherKind], [Buffer.alloc(0)], []])
    expect(() => openReceiptFile(file({ documents }))).toThrow(failing("ERR_RECEIPT_FILE"));
});

test("a warden's key without a part, and a part without the key, are no file", () => {
  const without = file({ documents: [witnessed.document] });
  expect(() => openReceiptFile(without)).toThrow(failing("ERR_RECEIPT_FILE"));
  const warden = maker.warden.publicKey;
  const idle = file({ warden, documents: [silent.document] });
  expect(() => openReceiptFile(idle)).toThrow(failing("ERR_RECEIPT_FILE"));
});

test("a file has MAX_FILE_RECEIPTS, and not one more", () => {
  const many = Array.from({ length: MAX_FILE_RECEIPTS + 1 }, (_, index) =>
    maker.make({ sequence: BigInt(index + 1), cell }, 1n),
  );
  const most = encodeReceiptFile(maker.keys, many.slice(1));
  expect(most.length).toBeLessThan(MAX_RECEIPT_FILE_BYTES);
  expect(openReceiptFile(most).receipts).toHaveLength(MAX_FILE_RECEIPTS);
  expect(() => encodeReceiptFile(maker.keys, many)).toThrow(failing("ERR_RECEIPT_FILE"));
  expect(() => encodeReceiptFile(maker.keys, [])).toThrow(failing("ERR_RECEIPT_FILE"));
  const documents = many.map(({ document }) => document);
  expect(() => openReceiptFile(file({ warden: maker.warden.publicKey, documents }))).toThrow(
    failing("ERR_RECEIPT_FILE"),
  );
});

test("a file of MAX_RECEIPT_FILE_BYTES is looked at, a longer one is not", () => {
  const long = Buffer.alloc(MAX_RECEIPT_FILE_BYTES + 1);
  const why = (bytes: Uint8Array) => {
    try {
      return openReceiptFile(bytes);
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(why(long)).toContain("longer than any");
  expect(why(long.subarray(1))).toContain("does not begin");
});

test("a device that was never told the warden's key makes no file that nobody could check", () => {
  const { nodeKey } = maker.keys;
  expect(() => encodeReceiptFile({ nodeKey }, [witnessed])).toThrow(failing("ERR_RECEIPT_FILE"));
  expect(() => encodeReceiptFile({ nodeKey }, [silent])).not.toThrow();
});

test("random bytes are refused with a code, with and without a right beginning", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.uint8Array({ maxLength: 600 }), (hasHeader, random) => {
      const header = hasHeader ? files["one with a warden's part"].subarray(0, 17) : [];
      expectRefused(Buffer.concat([Buffer.from(header), random]), "random");
    }),
    { numRuns: 300 },
  );
});

const CODES = new Set(["ERR_RECEIPT_FILE", "ERR_RECEIPT_FORGED"]);

/** Cheaper than `expect`, for thousands of refusals in one test. */
function expectRefused(untrusted: Uint8Array, what: string): void {
  try {
    openReceiptFile(untrusted);
  } catch (error) {
    if (CODES.has((error as { code?: string }).code ?? "")) return;
    throw error;
  }
  expect.fail(`accepted: ${what}`);
}
