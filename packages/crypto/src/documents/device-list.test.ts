/** The chain of device lists: who may write the next one, and what it may say. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bytesOf, digest, parseCases, publicKeyOf, seedOf } from "../../vectors/document-values.ts";
import { ed25519FromSeed } from "../ed25519.ts";
import {
  activeAdmin,
  activeDevice,
  deviceListDocument,
  MAX_DEVICES,
  NO_PREVIOUS,
  openFirstDeviceList,
  openNextDeviceList,
  sameBytes,
  type Device,
  type DeviceList,
  type VerifiedDeviceList,
} from "./device-list.ts";
import { documentHash } from "./document.ts";

const notAuthorised = expect.objectContaining({ name: "CryptoError", code: "ERR_NOT_AUTHORISED" });
const node = publicKeyOf(seedOf("node"));
const keyOf = (name: string) => ed25519FromSeed(seedOf(name));

function device(name: string, role: Device["role"], revokedAt: number | null = null): Device {
  const signingKey = keyOf(name).publicKey;
  const tunnelKey = new Uint8Array(digest(`tunnel ${name}`, 32));
  return { signingKey, tunnelKey, name, role, addedAt: 1_000, revokedAt };
}

const [ada, bob, cy] = [device("ada", "admin"), device("bob", "admin"), device("cy", "chat")];
const exBob = device("bob", "admin", 2_000);
const dora = device("dora", "admin");

/** Version 1, by Ada: she, Cy for chat, and Bob, an admin who was revoked. */
const firstList: DeviceList = {
  node,
  version: 1,
  previous: NO_PREVIOUS,
  issuedAt: 1_000,
  signer: ada.signingKey,
  devices: [ada, cy, exBob],
};
const first = openFirst(sign(firstList, "ada"));

function sign(list: DeviceList, signer: string): Uint8Array {
  return deviceListDocument.sign(list, keyOf(signer).privateKey);
}

function openFirst(document: Uint8Array, pinned = documentHash(document)): VerifiedDeviceList {
  return openFirstDeviceList(document, node, pinned);
}

/** A well-formed version 2 by Ada, with these changes. */
function next(changed: Partial<DeviceList>, signer = "ada"): Uint8Array {
  const signerKey = keyOf(signer).publicKey;
  return sign(
    { ...firstList, version: 2, previous: first.hash, signer: signerKey, ...changed },
    signer,
  );
}

describe("the first list", () => {
  test("is believed by its pinned hash alone", () => {
    expect(first).toEqual({ ...firstList, node: new Uint8Array(node), hash: first.hash });
    const other = sign({ ...firstList, issuedAt: 1_001 }, "ada");
    expect(() => openFirst(other, first.hash)).toThrow(notAuthorised);
    expect(() => openFirst(other, new Uint8Array(0))).toThrow(notAuthorised);
  });

  test.each([0, 2])("is not version %d", (version) => {
    expect(() => openFirst(sign({ ...firstList, version }, "ada"))).toThrow(notAuthorised);
  });

  test("is signed by an admin that it lists: no chat device, no revoked one, no stranger", () => {
    for (const signer of ["cy", "bob", "mallory"]) {
      const list = { ...firstList, signer: keyOf(signer).publicKey };
      expect(() => openFirst(sign(list, signer))).toThrow(notAuthorised);
    }
  });

  test("whose signature is not its signer's is refused", () => {
    expect(() => openFirst(sign(firstList, "cy"))).toThrow(
      expect.objectContaining({ code: "ERR_AUTHENTICATION" }),
    );
  });

  test("of another node is refused", () => {
    const list = { ...firstList, node: publicKeyOf(seedOf("other node")) };
    expect(() => openFirst(sign(list, "ada"))).toThrow(notAuthorised);
  });
});

describe("the next list", () => {
  test("by an admin, one version later, naming the hash before, is accepted", () => {
    const second = openNextDeviceList(next({ devices: [ada, dora, cy, exBob] }), first);
    expect(second.version).toBe(2);
    expect(second.devices).toHaveLength(4);
  });

  test.each([0, 1, 3, 2 ** 32 - 1])("is not version %d", (version) => {
    expect(() => openNextDeviceList(next({ version }), first)).toThrow(notAuthorised);
  });

  test("that names another list before it, or none, is refused", () => {
    for (const previous of [NO_PREVIOUS, documentHash(Buffer.from("another"))])
      expect(() => openNextDeviceList(next({ previous }), first)).toThrow(notAuthorised);
  });

  test("for the same place, but after a fork, is refused", () => {
    const fork = openFirst(sign({ ...firstList, issuedAt: 1_001 }, "ada"));
    expect(() => openNextDeviceList(next({}), fork)).toThrow(notAuthorised);
  });

  test("by a chat device, a revoked admin or a stranger is refused", () => {
    for (const signer of ["cy", "bob", "mallory"])
      expect(() => openNextDeviceList(next({}, signer), first)).toThrow(notAuthorised);
  });

  test("in which its signer first makes itself an admin is refused", () => {
    const promoted = [ada, device("cy", "admin"), exBob];
    expect(() => openNextDeviceList(next({ devices: promoted }, "cy"), first)).toThrow(
      notAuthorised,
    );
    const unrevoked = [ada, cy, bob];
    expect(() => openNextDeviceList(next({ devices: unrevoked }, "bob"), first)).toThrow(
      notAuthorised,
    );
    const added = [ada, cy, device("mallory", "admin")];
    expect(() => openNextDeviceList(next({ devices: added }, "mallory"), first)).toThrow(
      notAuthorised,
    );
  });

  test("that names an admin as signer but is signed by somebody else is refused", () => {
    const forged = sign({ ...firstList, version: 2, previous: first.hash }, "cy");
    expect(() => openNextDeviceList(forged, first)).toThrow(
      expect.objectContaining({ code: "ERR_AUTHENTICATION" }),
    );
  });

  test("that leaves no active admin is refused; one is enough, even another one", () => {
    const exAda = device("ada", "admin", 3_000);
    for (const devices of [[], [cy], [exAda], [device("ada", "chat"), cy, exBob]])
      expect(() => openNextDeviceList(next({ devices }), first)).toThrow(notAuthorised);
    const passedOn = next({ devices: [exAda, dora, cy] });
    expect(openNextDeviceList(passedOn, first).devices).toHaveLength(3);
  });

  test("with a key twice is refused, whichever two of the keys are the same", () => {
    const twins = [
      [ada, { ...bob, signingKey: ada.signingKey }],
      [ada, { ...bob, tunnelKey: ada.tunnelKey }],
      [ada, { ...bob, tunnelKey: ada.signingKey }],
      [ada, { ...bob, tunnelKey: bob.signingKey }],
      [ada, ada],
      [ada, { ...exBob, signingKey: ada.signingKey }],
    ];
    for (const devices of twins)
      expect(() => openNextDeviceList(next({ devices }), first)).toThrow(notAuthorised);
  });

  test("in which a device vanished without being revoked is refused; a revoked one may go", () => {
    expect(() => openNextDeviceList(next({ devices: [ada, exBob] }), first)).toThrow(notAuthorised);
    expect(openNextDeviceList(next({ devices: [ada, cy] }), first).devices).toHaveLength(2);
  });

  test("in which a revocation was undone or moved is refused", () => {
    for (const changed of [bob, device("bob", "admin", 2_001)])
      expect(() => openNextDeviceList(next({ devices: [ada, cy, changed] }), first)).toThrow(
        notAuthorised,
      );
  });

  test("in which a device has another tunnel key is refused", () => {
    const moved = { ...cy, tunnelKey: dora.tunnelKey };
    expect(() => openNextDeviceList(next({ devices: [ada, moved] }), first)).toThrow(notAuthorised);
  });

  test("that is older than the one before is refused, of the same time accepted", () => {
    expect(() => openNextDeviceList(next({ issuedAt: 999 }), first)).toThrow(notAuthorised);
    expect(openNextDeviceList(next({ issuedAt: 1_000 }), first).version).toBe(2);
  });

  test("of another node is refused", () => {
    const other = publicKeyOf(seedOf("other node"));
    expect(() => openNextDeviceList(next({ node: other }), first)).toThrow(notAuthorised);
  });

  test("of MAX_DEVICES devices is accepted", () => {
    const many = Array.from({ length: MAX_DEVICES - 2 }, (_, i) => device(`device ${i}`, "chat"));
    const list = openNextDeviceList(next({ devices: [ada, cy, ...many] }), first);
    expect(list.devices).toHaveLength(64);
    expect(() => next({ devices: [ada, cy, dora, ...many] })).toThrow(
      expect.objectContaining({ code: "ERR_DOCUMENT_FIELD" }),
    );
  });

  test("of an admin who was revoked by the one before is refused", () => {
    const exAda = device("ada", "admin", 3_000);
    const second = openNextDeviceList(next({ devices: [exAda, dora, cy] }), first);
    const third = { ...firstList, version: 3, previous: second.hash, devices: [exAda, dora, cy] };
    expect(() => openNextDeviceList(sign(third, "ada"), second)).toThrow(notAuthorised);
    const byDora = sign({ ...third, signer: dora.signingKey }, "dora");
    expect(openNextDeviceList(byDora, second).version).toBe(3);
  });
});

test("the committed chain of three holds, in its order only", () => {
  const path = new URL("../../vectors/documents/device-list.txt", import.meta.url);
  const chain = parseCases(readFileSync(path, "utf8"))
    .filter((lines) => lines.get("case")!.startsWith("chain-"))
    .map((lines) => ({
      document: bytesOf(lines.get("document")),
      hash: bytesOf(lines.get("hash")),
    }));
  const [one, two, three] = chain as [(typeof chain)[0], (typeof chain)[0], (typeof chain)[0]];
  const first = openFirstDeviceList(one.document, node, one.hash);
  expect(() => openNextDeviceList(three.document, first)).toThrow(notAuthorised);
  const second = openNextDeviceList(two.document, first);
  expect(() => openNextDeviceList(one.document, second)).toThrow(notAuthorised);
  expect(() => openNextDeviceList(two.document, second)).toThrow(notAuthorised);
  const third = openNextDeviceList(three.document, second);
  expect(Buffer.from(third.hash)).toEqual(three.hash);
  expect(third.devices.map(({ name, revokedAt }) => [name, revokedAt !== null])).toEqual([
    ["ada", false],
    ["bob", false],
    ["cy", true],
    ["di", false],
  ]);
});

test("a device is active until it is revoked, an admin only in that role", () => {
  const known = (name: string) => keyOf(name).publicKey;
  expect(activeDevice(first, known("cy"))?.name).toBe("cy");
  expect(activeDevice(first, known("bob"))).toBeUndefined();
  expect(activeDevice(first, known("mallory"))).toBeUndefined();
  expect(activeDevice(first, cy.tunnelKey)).toBeUndefined();
  expect(activeDevice(first, known("cy").subarray(1))).toBeUndefined();
  expect(activeAdmin(first, known("ada"))?.name).toBe("ada");
  expect(activeAdmin(first, known("cy"))).toBeUndefined();
  expect(activeAdmin(first, known("bob"))).toBeUndefined();
});

test("bytes are the same only if all are, and at one length", () => {
  expect(sameBytes(Buffer.from("ab"), Buffer.from("ab"))).toBe(true);
  expect(sameBytes(Buffer.from("ab"), Buffer.from("ac"))).toBe(false);
  expect(sameBytes(Buffer.from("ab"), Buffer.from("abc"))).toBe(false);
});
