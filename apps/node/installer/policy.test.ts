/**
 * What a standing policy lets through.
 *
 * @module
 */
import { updatePolicyDocument, type DeviceIdentity, type UpdatePolicy } from "@phantoma/crypto";
import { beforeEach, expect, test } from "vitest";
import { TestNode } from "../test-node.ts";
import { openPolicy, parseOffer, permissionBy } from "./policy.ts";
import type { Standing } from "./standing.ts";

const sha256 = "ab".repeat(32);
const offer = { version: "0.2.0", sha256 };
const standing: Standing = {
  counter: "0",
  policyCounter: "5",
  approval: null,
  isUsed: true,
  floor: null,
};
const refused = (about: string) =>
  expect.objectContaining({ code: "ERR_POLICY", message: expect.stringContaining(about) });

let node: TestNode;
beforeEach(() => {
  node = new TestNode();
});

function policy(change: Partial<UpdatePolicy> = {}, by: DeviceIdentity = node.admin): Uint8Array {
  const fields = { node: node.key, counter: 5n, notAfter: 100, signer: by.signing.publicKey };
  return updatePolicyDocument.sign(
    { ...fields, mode: "automatic", ...change },
    by.signing.privateKey,
  );
}

test("the policy of an admin permits exactly what is offered, under one name", () => {
  const document = policy();
  const opened = openPolicy(document, node.devices, standing);
  const permission = permissionBy(opened, document, offer, 100);
  expect(permission).toMatchObject({ version: "0.2.0", counters: { policyCounter: "5" } });
  expect(Buffer.from(permission.release).toString("hex")).toBe(sha256);
  expect(permissionBy(opened, document, offer, 99).hash).toBe(permission.hash);
  const other = { ...offer, sha256: "cd".repeat(32) };
  expect(permissionBy(opened, document, other, 99).hash).not.toBe(permission.hash);
});

test("one of no admin, of another node, or from before the newest that was seen is refused", () => {
  for (const [document, about] of [
    [policy({}, node.chat), "no policy"],
    [policy({ node: new Uint8Array(32) }), "another node"],
    [policy({ counter: 4n }), "a later one"],
    [new Uint8Array(0), "no policy"],
  ] as const)
    expect(() => openPolicy(document, node.devices, standing)).toThrow(refused(about));
});

test("one that asks, or that is over, permits nothing", () => {
  for (const [change, now] of [
    [{ mode: "ask" }, 50],
    [{}, 101],
  ] as const) {
    const document = policy(change);
    const opened = openPolicy(document, node.devices, standing);
    expect(() => permissionBy(opened, document, offer, now)).toThrow(refused("none is in force"));
  }
});

test.each(["", "0.2.0", `0.2.0 ${sha256}`, `0.2 ${sha256}\n`, `0.2.0 ${sha256}\nmore`])(
  "%j is no offer",
  (text) => {
    expect(parseOffer(Buffer.from(text))).toBeUndefined();
    expect(parseOffer(Buffer.from(`0.2.0 ${sha256}\n`))).toEqual(offer);
  },
);
