/** A signed document that was changed in any way is refused, whatever the change. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alterationsOf, arbitraryOf } from "../../vectors/document-alterations.ts";
import { documentKinds } from "../../vectors/document-kinds.ts";
import { documentFiles, documentLayouts } from "../../vectors/document-layouts.ts";
import {
  bytesOf,
  keyFrom,
  parseCases,
  publicKeyOf,
  seedOf,
  valueFromLines,
} from "../../vectors/document-values.ts";
import { CryptoError } from "../crypto-error.ts";
import { generateEd25519 } from "../ed25519.ts";
import { MAX_DOCUMENT_BYTES } from "./document.ts";

const signer = seedOf("node");
const publicKey = publicKeyOf(signer);
const coded = (code: string) => expect.objectContaining({ name: "CryptoError", code });

describe.each(documentFiles)("%s", (file) => {
  const kind = documentKinds[file];
  const { shape } = documentLayouts[file];
  const path = new URL(`../../vectors/documents/${file}.txt`, import.meta.url);
  const cases = parseCases(readFileSync(path, "utf8")).map((lines) => ({
    name: lines.get("case")!,
    values: valueFromLines(shape, lines),
    key: bytesOf(lines.get("public-key")),
    document: bytesOf(lines.get("document")),
  }));

  test.each(cases)("$name: with any field altered", ({ values, key, document }) => {
    const signature = document.subarray(-64);
    const alterations = alterationsOf(shape, values);
    expect(alterations.length).toBeGreaterThanOrEqual(Object.keys(values).length);
    for (const { field, value } of alterations) {
      const resigned = Buffer.from(kind.sign(value, keyFrom(signer)));
      expect(resigned.subarray(0, -64), field).not.toEqual(document.subarray(0, -64));
      const altered = Buffer.concat([resigned.subarray(0, -64), signature]);
      expect(() => kind.open(altered, () => key), field).toThrow(coded("ERR_AUTHENTICATION"));
    }
  });

  test.each(cases)("$name: with any byte flipped", ({ key, document }) => {
    for (let index = 0; index < document.length; index += 1) {
      const altered = Buffer.from(document);
      altered[index]! ^= 1 << (index % 8);
      expectRefused(() => kind.open(altered, () => key));
    }
  });

  test.each(cases)("$name: cut or extended at any length", ({ key, document }) => {
    for (let length = 0; length < document.length; length += 1)
      expectRefused(() => kind.open(document.subarray(0, length), () => key));
    for (const extra of [1, 2, 64, 65]) {
      const extended = Buffer.concat([document, Buffer.alloc(extra)]);
      expectRefused(() => kind.open(extended, () => key));
    }
  });

  test.each(cases)("$name: for another signer's key, or nobody's", ({ document }) => {
    const other = generateEd25519().publicKey;
    expect(() => kind.open(document, () => other)).toThrow(coded("ERR_AUTHENTICATION"));
    expect(() => kind.open(document, () => new Uint8Array(31))).toThrow(
      coded("ERR_AUTHENTICATION"),
    );
    expect(() => kind.open(document, () => undefined)).toThrow(coded("ERR_NOT_AUTHORISED"));
  });

  test.each(cases)("$name: read as a document of any other kind", ({ key, document }) => {
    for (const other of documentFiles.filter((name) => name !== file))
      expect(() => documentKinds[other].open(document, () => key)).toThrow(
        coded("ERR_DOCUMENT_TYPE"),
      );
  });

  test("any values come back as they were signed", () => {
    fc.assert(
      fc.property(arbitraryOf(shape), (values) => {
        const document = kind.sign(values, keyFrom(signer));
        expect(kind.open(document, () => publicKey)).toEqual(values);
      }),
      { numRuns: 50 },
    );
  });

  test("random bytes are refused with a code, with and without a right beginning", () => {
    const { type, version } = documentLayouts[file];
    const untrusted = fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 1_000 }));
    fc.assert(
      fc.property(untrusted, ([hasHeader, random]) => {
        const bytes = hasHeader ? Buffer.concat([Buffer.of(type, version), random]) : random;
        expectRefused(() => kind.open(bytes, () => publicKey));
      }),
      { numRuns: 300 },
    );
  });

  test("a document of MAX_DOCUMENT_BYTES is looked at, a longer one is not", () => {
    const { type } = documentLayouts[file];
    const long = Buffer.alloc(MAX_DOCUMENT_BYTES + 1);
    long.set([type + 1, 1]);
    expect(() => kind.open(long, () => publicKey)).toThrow(coded("ERR_LENGTH"));
    expect(() => kind.open(long.subarray(1), () => publicKey)).toThrow(coded("ERR_DOCUMENT_TYPE"));
  });
});

/** Cheaper than `expect`, for thousands of refusals in one test. */
function expectRefused(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (error instanceof CryptoError) return;
    throw error;
  }
  expect.fail("accepted");
}
