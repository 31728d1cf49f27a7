/** Host keys that a person confirmed: kept for this user alone, and never taken for none. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KnownHosts } from "./known-hosts.ts";

const shown = { algorithm: "ssh-ed25519", sha256: `SHA256:${"a".repeat(43)}` };
const address = { host: "192.0.2.7", port: 22 };
let dir: string;
let path: string;
let hosts: KnownHosts;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hosts-"));
  path = join(dir, "hosts.json");
  hosts = new KnownHosts(path);
});
afterEach(() => rmSync(dir, { recursive: true }));

test("a key that was compared is kept by its address and port, for this user alone", () => {
  hosts.confirm(address, shown, `2048 ${shown.sha256} root@host (ED25519)`);
  expect(new KnownHosts(path).get(address)).toEqual(shown);
  expect(hosts.get({ ...address, port: 2222 })).toBeUndefined();
  expect(statSync(path).mode & 0o077).toBe(0);
  hosts.forget(address);
  expect(hosts.get(address)).toBeUndefined();
});

test("a server that is called constructor is unknown until its key was compared", () => {
  const odd = { host: "constructor", port: 22 };
  expect(hosts.get(odd)).toBeUndefined();
  hosts.confirm(odd, shown);
  expect(hosts.get(odd)).toEqual(shown);
});

test("one that is not what was pasted is not kept", () => {
  const other = `SHA256:${"b".repeat(43)}`;
  expect(() => hosts.confirm(address, shown, other)).toThrow(
    expect.objectContaining({ code: "ERR_HOST_KEY_CHANGED" }),
  );
  expect(() => hosts.confirm(address, shown, `${shown.sha256} ${other}`)).toThrow(
    expect.objectContaining({ code: "ERR_HOST_KEY_TEXT" }),
  );
  expect(hosts.get(address)).toBeUndefined();
});

test.each(["", "{", `{"192.0.2.7":{"algorithm":"ssh-ed25519","sha256":"MD5:aa"}}`])(
  "a file that holds %j is no empty one",
  (text) => {
    writeFileSync(path, text);
    expect(() => hosts.get(address)).toThrow(expect.objectContaining({ code: "ERR_KNOWN_HOSTS" }));
    expect(() => hosts.confirm(address, shown)).toThrow();
  },
);
