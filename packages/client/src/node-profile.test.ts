/** A stored profile is read strictly: nobody is sent to another address by a changed file. */
import { expect, test } from "vitest";
import { parseProfile } from "./node-profile.ts";

const profile = {
  name: "home",
  url: "wss://192.0.2.1:8443",
  nodeKey: "0a".repeat(32),
  tlsCertificate: "pem",
  starter: "systemd",
  policy: "enforced",
  release: "0b".repeat(32),
};
const parse = (change: object) => parseProfile(JSON.stringify({ ...profile, ...change }));
const unreadable = expect.objectContaining({ name: "ClientError", code: "ERR_PROFILE" });

test("a profile is read as it was written", () => {
  expect(parse({})).toEqual(profile);
});

test.each([
  { name: "n" },
  { name: "n".repeat(64) },
  { url: "wss://[2001:db8::1]:1" },
  { url: "wss://node.example" },
  { starter: "gateway" },
  { tlsCertificate: "p".repeat(8192) },
])("%j is allowed", (change) => {
  expect(parse(change)).toMatchObject(change);
});

test.each([
  { name: "" },
  { name: "n".repeat(65) },
  { url: "ws://192.0.2.1:8443" },
  { url: "https://192.0.2.1" },
  { url: "wss" },
  { url: undefined },
  { nodeKey: "0A".repeat(32) },
  { nodeKey: "0a".repeat(31) },
  { nodeKey: "0a".repeat(33) },
  { starter: "root" },
  { policy: "off" },
  { policy: undefined },
  { release: "0b" },
  { release: undefined },
  { tlsCertificate: "p".repeat(8193) },
  { unknown: 1 },
])("%j is refused", (change) => {
  expect(() => parse(change)).toThrow(unreadable);
});

test("what is no JSON is refused, and not quoted", () => {
  for (const text of ["", "{", "null", "[]", "CANARY-91aa"])
    expect(() => parseProfile(text)).toThrow(unreadable);
  try {
    parseProfile("CANARY-91aa");
  } catch (error) {
    expect(
      `${String(error)}${(error as Error).stack}${String((error as Error).cause)}`,
    ).not.toContain("CANARY");
  }
});
