/** What a person reads of a receipt's grade, and that "wiped" is said at A only. */
import type { VerifiedReceipt } from "@phantoma/client";
import { expect, test, vi } from "vitest";
import { ReceiptMaker } from "../../packages/client/src/test-receipt.ts";
import { writeReceipt, writeRow } from "./receipt-text.ts";

type Grade = VerifiedReceipt["receipt"]["grade"];

function written(write: () => void): string {
  const spy = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    write();
    return spy.mock.calls.join("");
  } finally {
    spy.mockRestore();
  }
}

/** In full, and in a row of a list. */
function textsOf(grade: Grade): [string, string] {
  const made = new ReceiptMaker().make();
  const signed = { ...made, receipt: { ...made.receipt, grade } };
  return [written(() => writeReceipt(signed)), written(() => writeRow(signed))];
}

test.each([
  ["A", /^ {4}grade {6}A: wiped, from what/m],
  ["B", /^ {4}grade {6}B: overwritten, residue possible, from what/m],
  ["C", /^ {4}grade {6}C: not wiped, from what/m],
] as const)("grade %s is the keeper's word, and says what it comes from", (grade, said) => {
  const [whole, row] = textsOf(grade);
  expect(whole).toMatch(said);
  expect(whole.indexOf("signed by its keeper")).toBeLessThan(whole.search(said));
  expect(whole.search(said)).toBeLessThan(whole.indexOf("the cell reports"));
  expect(row).toContain(`grade ${grade}`);
  expect(/(?<!not )\bwiped\b/.test(whole)).toBe(grade === "A");
});

test("a receipt without a grade says that it is not recorded", () => {
  const [whole, row] = textsOf(null);
  expect(whole).toContain("grade      not recorded");
  expect(whole).not.toMatch(/\bwiped\b/);
  expect(row).toContain("no grade");
});

test("what runs from its sources has no release, and is not shown as one of zeros", () => {
  const made = new ReceiptMaker().make();
  const lines = (release: Uint8Array) =>
    written(() => writeReceipt({ ...made, receipt: { ...made.receipt, release } }));
  expect(lines(new Uint8Array(32))).toContain("release    none: the node runs from its sources");
  expect(lines(new Uint8Array(32).fill(7))).toContain(`release    ${"07".repeat(32)}`);
});

test("whose word the warden's part is, is said as its reader knows it", () => {
  const made = new ReceiptMaker().make();
  const unverified = { ...made, witness: "unverified" } as const;
  expect(written(() => writeReceipt(unverified))).toContain("the keeper says of the warden");
  expect(written(() => writeReceipt(unverified, "signed, not compared"))).not.toContain(
    "keeper says",
  );
});
