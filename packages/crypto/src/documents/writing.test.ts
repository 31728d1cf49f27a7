/** What cannot be read back is not signed either: every limit at it and one past it. */
import { describe, expect, test } from "vitest";
import { documentLayouts } from "../../vectors/document-layouts.ts";
import { keyFrom, publicKeyOf, seedOf, valueOf } from "../../vectors/document-values.ts";
import { documentKinds } from "../../vectors/document-kinds.ts";
import { MAX_DEVICES } from "./device-list.ts";
import { MAX_ANSWERED_LICENCES } from "./heartbeat-answer.ts";
import { MAX_CONTROL_PLANE_ENDPOINTS, MAX_ENDPOINTS, MAX_FILES } from "./orders.ts";

type File = keyof typeof documentLayouts;
const seed = seedOf("node");
const refusedField = expect.objectContaining({ name: "CryptoError", code: "ERR_DOCUMENT_FIELD" });

function typical(file: File): any {
  return valueOf(documentLayouts[file].shape, "typical", file);
}

/** Signs typical values with these in their place. */
function sign(file: File, changed: object): Uint8Array {
  return documentKinds[file].sign({ ...typical(file), ...changed }, keyFrom(seed));
}

/** What a reader gets of them. */
function signed(file: File, changed: object): unknown {
  return documentKinds[file].open(sign(file, changed), () => publicKeyOf(seed));
}

describe.each<{ file: File; field: string; atLimit: unknown; beyond: readonly unknown[] }>([
  {
    file: "ticket",
    field: "nonce",
    atLimit: new Uint8Array(16),
    beyond: [new Uint8Array(15), new Uint8Array(17), new Uint8Array(0)],
  },
  {
    file: "ticket",
    field: "issuedAt",
    atLimit: Number.MAX_SAFE_INTEGER,
    beyond: [-1],
  },
  {
    file: "heartbeat",
    field: "rootVersion",
    atLimit: 2 ** 32 - 1,
    beyond: [2 ** 32, -1, 0.5, NaN, Infinity],
  },
  { file: "licence", field: "devices", atLimit: 65_535, beyond: [65_536, -1] },
  { file: "licence", field: "sequence", atLimit: 2n ** 64n - 1n, beyond: [2n ** 64n, -1n] },
  {
    file: "licence",
    field: "holder",
    atLimit: "é".repeat(64),
    beyond: [
      `${"é".repeat(64)}x`,
      "x".repeat(129),
      "a\u0000",
      "a\nb",
      "\u001b[2J",
      "\u007f",
      "\u009b",
    ],
  },
  { file: "update-approval", field: "version", atLimit: "1".repeat(32), beyond: ["1".repeat(33)] },
])("$file.$field", ({ file, field, atLimit, beyond }) => {
  test("is written at its limit and comes back", () => {
    expect(signed(file, { [field]: atLimit })).toMatchObject({ [field]: atLimit });
  });

  test.each(beyond.map((value) => ({ value })))("is not written as $value", ({ value }) => {
    expect(() => sign(file, { [field]: value })).toThrow(refusedField);
  });
});

describe.each<{ file: File; field: string; max: number }>([
  { file: "device-list", field: "devices", max: MAX_DEVICES },
  { file: "window-order", field: "endpoints", max: MAX_ENDPOINTS },
  { file: "window-order", field: "files", max: MAX_FILES },
  { file: "standing-order", field: "endpoints", max: MAX_CONTROL_PLANE_ENDPOINTS },
  { file: "heartbeat-answer", field: "licences", max: MAX_ANSWERED_LICENCES },
])("$file.$field", ({ file, field, max }) => {
  const entries = (count: number) => Array.from({ length: count }, () => typical(file)[field][0]);

  test(`holds ${max} entries`, () => {
    expect(max).toBe(file === "standing-order" || file === "heartbeat-answer" ? 8 : 64);
    expect(signed(file, { [field]: entries(max) })).toMatchObject({ [field]: entries(max) });
  });

  test(`does not hold ${max + 1}`, () => {
    expect(() => sign(file, { [field]: entries(max + 1) })).toThrow(refusedField);
  });
});

test.each(["\ufeff", "\u202e", "\u2066", "\u200b", "\u2028", "\ud800"])(
  "text with %j, which hides or reorders, is not signed",
  (hidden) => {
    expect(() => sign("licence", { holder: `${hidden}name` })).toThrow(refusedField);
  },
);

test("the largest window order there can be still fits in one document", () => {
  const { shape } = documentLayouts["window-order"];
  const { endpoints, files } = valueOf(shape, "largest", "window order");
  const full = {
    endpoints: Array.from({ length: MAX_ENDPOINTS }, () => endpoints[0]),
    files: Array.from({ length: MAX_FILES }, () => files[0]),
  };
  expect(signed("window-order", full)).toMatchObject(full);
});

test("a receipt may have either witness's part without the other's", () => {
  for (const missing of ["cell", "warden"])
    expect(signed("receipt-2", { [missing]: null })).toEqual({
      ...typical("receipt-2"),
      [missing]: null,
    });
});

test.each([1.5, Number.NaN, -1, 2 ** 53])("%d is no time that is signed", (issuedAt) => {
  expect(() => sign("licence", { issuedAt })).toThrow(refusedField);
});

test.each(["galactic", "toString", ""])("%j is no edition that is signed", (edition) => {
  expect(() => sign("licence", { edition })).toThrow(refusedField);
});
