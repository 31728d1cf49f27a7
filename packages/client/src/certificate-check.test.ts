/** A certificate is believed only when every one of its fields is the expected one. */
import { certificateDocument, generateNodeIdentity, type Certificate } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { checkCertificate, type ExpectedProcess } from "./certificate-check.ts";

const bytes = (value: number) => new Uint8Array(32).fill(value);
const identity = generateNodeIdentity();
const node = identity.signing.publicKey;

const certificate: Certificate = {
  role: "worker",
  node,
  key: bytes(1),
  ticket: bytes(2),
  device: bytes(3),
  model: bytes(4),
  release: bytes(5),
  starter: "systemd",
  policy: "enforced",
  issuedAt: 1,
  expiresAt: 2,
};
const expected: ExpectedProcess = {
  node,
  ticket: bytes(2),
  device: bytes(3),
  responderKey: bytes(1),
  role: "worker",
  model: bytes(4),
  starter: "systemd",
  policy: "enforced",
  release: bytes(5),
};

const signed = (change: Partial<Certificate> = {}, by = identity) =>
  certificateDocument.sign({ ...certificate, ...change }, by.signing.privateKey);
const refusedAs = (message: string) =>
  expect.objectContaining({ name: "ClientError", code: "ERR_NODE_IDENTITY", message });

test("the right certificate is given back", () => {
  expect(checkCertificate(signed(), expected)).toEqual(certificate);
});

test.each([
  ["node", { node: bytes(9) }, "another node's"],
  ["ticket", { ticket: bytes(9) }, "for another ticket"],
  ["device", { device: bytes(9) }, "for another device"],
  ["key", { key: bytes(9) }, "for another process"],
  ["role", { role: "clerk" }, "for another role"],
  ["model", { model: bytes(9) }, "for another model"],
  ["starter", { starter: "gateway" }, "of a process started another way"],
  ["policy", { policy: "none" }, "under another kernel policy"],
] as const)("another %s alone is refused", (_field, change, fault) => {
  expect(() => checkCertificate(signed(change), expected)).toThrow(
    refusedAs(`the certificate is ${fault}`),
  );
});

test("another release alone is refused with a code of its own, and taken where it was approved", () => {
  const other = signed({ release: bytes(9) });
  expect(() => checkCertificate(other, expected)).toThrow(
    expect.objectContaining({ code: "ERR_OTHER_RELEASE" }),
  );
  for (const otherRelease of [bytes(9), "any"] as const)
    expect(checkCertificate(other, { ...expected, otherRelease }).release).toEqual(bytes(9));
  const two = signed({ release: bytes(9), role: "clerk" });
  expect(() => checkCertificate(two, expected)).toThrow(
    refusedAs("the certificate is for another role, of another release"),
  );
});

test("several faults are all named", () => {
  const wrong = signed({ role: "clerk", model: bytes(9) });
  expect(() => checkCertificate(wrong, expected)).toThrow(
    refusedAs("the certificate is for another role, for another model"),
  );
});

test("a certificate that the node did not sign is refused, whatever it says", () => {
  const unsigned = refusedAs("the certificate is not signed by the node");
  const forged = signed();
  forged[forged.length - 1]! ^= 1;
  for (const untrusted of [
    signed({}, generateNodeIdentity()),
    forged,
    signed().subarray(1),
    Buffer.alloc(0),
    Buffer.alloc(40_000, 1),
  ])
    expect(() => checkCertificate(untrusted, expected)).toThrow(unsigned);
});

test("a flipped bit anywhere is refused", () => {
  const good = signed();
  for (let offset = 0; offset < good.length; offset += 1) {
    const changed = Uint8Array.from(good);
    changed[offset]! ^= 1;
    expect(() => checkCertificate(changed, expected)).toThrow(
      expect.objectContaining({ code: "ERR_NODE_IDENTITY" }),
    );
  }
});
