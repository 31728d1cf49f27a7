/** A secret is never printed by accident, and is gone when it is erased. */
import { hkdfSync } from "node:crypto";
import { format, inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { digest } from "../vectors/document-values.ts";
import { deviceState } from "../vectors/fixed-handshake.ts";
import {
  exportDeviceIdentity,
  exportNodeIdentity,
  generateDeviceIdentity,
  generateNodeIdentity,
} from "./identity.ts";
import { CipherState } from "./noise/cipher-state.ts";
import { Session } from "./noise/session.ts";
import { SymmetricState } from "./noise/symmetric-state.ts";
import { Secret } from "./secret.ts";

/** Whatever a log line, an error report or a serialiser would make of it. */
function printed(value: unknown): string {
  const everything = { depth: Infinity, showHidden: true, getters: true } as const;
  return [
    inspect(value),
    inspect(value, everything),
    inspect({ nested: [value] }, everything),
    inspect(value, { ...everything, customInspect: false }),
    JSON.stringify({ value }),
    String(value),
    format("%s %o %O %j", value, value, value, value),
    Object.entries(value as object).join(),
  ]
    .join("\n")
    .replaceAll(/\s+/g, " ");
}

/** The same bytes as hex, decimal list and base64, the ways in which Node would print them. */
function formsOf(bytes: Uint8Array): string[] {
  const some = Buffer.from(bytes.subarray(0, 8));
  return [
    some.toString("hex"),
    some.toString("hex").match(/../g)!.join(" "),
    [...some].join(", "),
    [...some].join(","),
    some.subarray(0, 6).toString("base64"),
  ];
}

test("the check below does find bytes that are printed", () => {
  const bytes = digest("secret", 32);
  for (const shown of [{ bytes }, { bytes: new Uint8Array(bytes) }, { bytes: [...bytes] }])
    expect(formsOf(bytes).some((form) => printed(shown).includes(form))).toBe(true);
});

test("a secret prints as [secret]", () => {
  const bytes = digest("secret", 32);
  const secret = new Secret(Buffer.from(bytes));
  expect(inspect(secret)).toBe("[secret]");
  expect(String(secret)).toBe("[secret]");
  expect(`a log line with ${secret as unknown as string}`).toBe("a log line with [secret]");
  expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
  for (const form of formsOf(bytes)) expect(printed(secret)).not.toContain(form);
});

const key = digest("key", 32);
const device = generateDeviceIdentity();
const deviceSecret = exportDeviceIdentity(device);
const node = generateNodeIdentity();
const protocolName = Buffer.alloc(32);
protocolName.write("Noise_XX_25519_AESGCM_SHA256");
const mixed = Buffer.from(hkdfSync("sha256", key, protocolName, "", 64));
const symmetric = new SymmetricState("Noise_XX_25519_AESGCM_SHA256");
symmetric.mixKey(Buffer.from(key));
const directions = { send: new CipherState(key), receive: new CipherState(key) };

describe.each([
  { name: "a device identity", value: device, secrets: [deviceSecret.expose()] },
  { name: "its tunnel key", value: device, secrets: [deviceSecret.expose().subarray(32)] },
  { name: "a stored identity", value: deviceSecret, secrets: [deviceSecret.expose()] },
  { name: "a node identity", value: node, secrets: [exportNodeIdentity(node).expose()] },
  { name: "a cipher state", value: new CipherState(key), secrets: [key] },
  {
    name: "a symmetric state",
    value: symmetric,
    secrets: [key, mixed.subarray(0, 32), mixed.subarray(32)],
  },
  {
    name: "a session",
    value: new Session({ ...directions, handshakeHash: Buffer.alloc(32) }),
    secrets: [key],
  },
  { name: "a handshake", value: deviceState(), secrets: [digest("device", 32)] },
])("$name", ({ value, secrets }) => {
  test("prints none of its secret bytes", () => {
    for (const form of secrets.flatMap(formsOf)) expect(printed(value)).not.toContain(form);
  });
});

test("erasing overwrites the bytes, ends every use and may be repeated", () => {
  const bytes = Buffer.alloc(32, 7);
  const secret = new Secret(bytes);
  expect(secret.wasErased).toBe(false);
  expect(secret.expose()).toBe(bytes);
  secret.erase();
  expect(bytes).toEqual(Buffer.alloc(32));
  expect(secret.wasErased).toBe(true);
  expect(() => secret.expose()).toThrow(
    expect.objectContaining({ name: "CryptoError", code: "ERR_STEP_REUSED" }),
  );
  secret.erase();
  expect(String(secret)).toBe("[secret]");
});

test("a shared secret that was mixed into a handshake is overwritten", () => {
  const shared = Buffer.alloc(32, 7);
  new SymmetricState("Noise_XX_25519_AESGCM_SHA256").mixKey(shared);
  expect(shared).toEqual(Buffer.alloc(32));
});
