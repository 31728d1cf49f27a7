/** What people type and paste: addresses and fingerprints, and what is none. */
import { expect, test } from "vitest";
import { addressName, parseTarget } from "./address.ts";
import { parseFingerprint, readHostKey } from "./host-key.ts";

test.each([
  ["example.org", { user: "root", host: "example.org", port: 22 }, "example.org"],
  ["debian@192.0.2.7:2222", { user: "debian", host: "192.0.2.7", port: 2222 }, "192.0.2.7:2222"],
  ["[2001:db8::1]:2222", { user: "root", host: "2001:db8::1", port: 2222 }, "[2001:db8::1]:2222"],
  ["a@2001:db8::1", { user: "a", host: "2001:db8::1", port: 22 }, "[2001:db8::1]"],
])("%s is an address", (text, target, name) => {
  expect(parseTarget(text)).toEqual(target);
  expect(addressName(target)).toBe(name);
});

test.each([
  "",
  "@host",
  "-oProxyCommand=x",
  "a b@host",
  "-x@host",
  "host:0",
  "host:65536",
  "host:x",
  "host/path",
  "[host]:22",
  "a".repeat(254),
  `${"u".repeat(33)}@host`,
  "h$(id)",
])("%j is none", (text) => {
  expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: "ERR_SSH_ADDRESS" }));
});

const digest = `SHA256:${"Ab+/".repeat(10)}Abc`;
test("a fingerprint is found in the line that a provider shows", () => {
  for (const text of [digest, ` ${digest}=\n`, `256 ${digest} root@vps (ED25519)`])
    expect(parseFingerprint(text)).toBe(digest);
});

test.each(["", "MD5:aa:bb", digest.slice(0, -1), `${digest}X`, `${digest} ${digest}`, "yes"])(
  "%j is no fingerprint",
  (text) => {
    expect(() => parseFingerprint(text)).toThrow(
      expect.objectContaining({ code: "ERR_HOST_KEY_TEXT" }),
    );
  },
);

test("a host key of a kind that nobody should use, or that is too long, is none", () => {
  const key = (name: string, rest = 32) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(name.length);
    return Buffer.concat([length, Buffer.from(name), Buffer.alloc(rest)]);
  };
  expect(readHostKey(key("ssh-ed25519")).algorithm).toBe("ssh-ed25519");
  expect(readHostKey(key("ssh-rsa", 8_192 - 11)).algorithm).toBe("ssh-rsa");
  for (const bad of [
    key("ssh-dss"),
    key("ssh-rsa", 8_192 - 10),
    Buffer.alloc(3),
    Buffer.alloc(64, 255),
  ])
    expect(() => readHostKey(bad)).toThrow(expect.objectContaining({ code: "ERR_SSH_PROTOCOL" }));
});
