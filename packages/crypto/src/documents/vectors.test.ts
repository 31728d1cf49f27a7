/** The committed documents, which a C program reads too: accepted as they are, refused as named. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { acceptedText, refusedText, witnessText } from "../../vectors/document-cases.ts";
import { documentFiles, documentLayouts } from "../../vectors/document-layouts.ts";
import { bytesOf, keyFrom, parseCases, valueFromLines } from "../../vectors/document-values.ts";
import { documentKinds } from "../../vectors/document-kinds.ts";
import { documentHash } from "./document.ts";
import { SUCCESSION_BYTES } from "./succession.ts";
import { TICKET_BYTES } from "./ticket.ts";

function committed(file: string): string {
  return readFileSync(new URL(`../../vectors/documents/${file}.txt`, import.meta.url), "utf8");
}

test("the committed documents are what the generator makes", () => {
  for (const file of documentFiles) expect(committed(file)).toBe(acceptedText(file));
  for (const file of ["receipt", "receipt-2"] as const)
    expect(committed(`${file}-witness`)).toBe(witnessText(file));
  expect(committed("refused")).toBe(refusedText());
});

describe.each(documentFiles)("%s", (file) => {
  const kind = documentKinds[file];
  const { shape } = documentLayouts[file];
  const cases = parseCases(committed(file)).map((lines) => ({
    name: lines.get("case")!,
    values: valueFromLines(shape, lines),
    seed: bytesOf(lines.get("private-key")),
    publicKey: bytesOf(lines.get("public-key")),
    document: bytesOf(lines.get("document")),
    hash: lines.get("hash"),
  }));

  test.each(cases)("$name: signing gives the committed bytes", ({ values, seed, document }) => {
    expect(Buffer.from(kind.sign(values, keyFrom(seed)))).toEqual(document);
  });

  test.each(cases)("$name: opening gives the committed values", (vector) => {
    const opened = kind.open(vector.document, (unverified) => {
      expect(unverified).toEqual(vector.values);
      return vector.publicKey;
    });
    expect(opened).toEqual(vector.values);
    expect(Buffer.from(documentHash(vector.document)).toString("hex")).toBe(vector.hash);
  });
});

const refused = parseCases(committed("refused")).map((lines) => ({
  name: lines.get("case")!,
  file: lines.get("file") as (typeof documentFiles)[number],
  code: lines.get("error")!,
  publicKey: bytesOf(lines.get("public-key")),
  document: bytesOf(lines.get("document")),
}));

test.each(refused)("refused although well signed: $name", ({ file, code, publicKey, document }) => {
  expect(() => documentKinds[file].open(document, () => publicKey)).toThrow(
    expect.objectContaining({ name: "CryptoError", code }),
  );
});

test.each([
  ["ticket", TICKET_BYTES],
  ["node-succession", SUCCESSION_BYTES],
] as const)("every %s has %i bytes", (kind, bytes) => {
  for (const lines of parseCases(committed(kind)))
    expect(bytesOf(lines.get("document"))).toHaveLength(bytes);
});
