/** Both signatures of a succession, and what each covers. */
import { expect, test } from "vitest";
import { generateEd25519 } from "../ed25519.ts";
import { approveSuccession, openSuccession, successionDocument } from "./succession.ts";

const [old, next, admin, stranger] = [0, 1, 2, 3].map(() => generateEd25519());
const approved = {
  from: old!.publicKey,
  to: next!.publicKey,
  devices: new Uint8Array(32).fill(5),
  issuedAt: 7,
  admin: admin!.publicKey,
};
const approval = approveSuccession(approved, admin!.privateKey);
const signed = (fields: typeof approved, by = old!, word = approval) =>
  successionDocument.sign({ ...fields, approval: word }, by.privateKey);

test("a succession that both signed is opened with the key of before", () => {
  const document = signed(approved);
  expect(document).toHaveLength(266);
  expect(openSuccession(document, old!.publicKey)).toEqual({ ...approved, approval });
});

test("one of another key, or signed by another, is not", () => {
  expect(() => openSuccession(signed(approved), next!.publicKey)).toThrow(
    expect.objectContaining({ code: "ERR_NOT_AUTHORISED" }),
  );
  expect(() => openSuccession(signed(approved, stranger), old!.publicKey)).toThrow(
    expect.objectContaining({ code: "ERR_AUTHENTICATION" }),
  );
});

test.each([
  ["the key it leads to", { to: stranger!.publicKey }],
  ["the devices", { devices: new Uint8Array(32) }],
  ["the time", { issuedAt: 8 }],
  ["the admin", { admin: stranger!.publicKey }],
])("the old key alone changes nothing that an admin approved: %s", (_name, change) => {
  expect(() => openSuccession(signed({ ...approved, ...change }), old!.publicKey)).toThrow(
    expect.objectContaining({ code: "ERR_AUTHENTICATION" }),
  );
});

test("an admin's approval of the succession to another key does not count", () => {
  const other = approveSuccession({ ...approved, from: stranger!.publicKey }, admin!.privateKey);
  expect(() => openSuccession(signed(approved, old, other), old!.publicKey)).toThrow(
    expect.objectContaining({ code: "ERR_AUTHENTICATION" }),
  );
});
