/** What the terminal keeps: its modes, and what it refuses to use. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeProfile } from "@phantoma/client";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { Home } from "./home.ts";

const profile: NodeProfile = {
  name: "demo",
  url: "wss://127.0.0.1:1",
  nodeKey: "01".repeat(32),
  tlsCertificate: "",
  starter: "gateway",
  policy: "none",
  release: "00".repeat(32),
};
const seen = {
  nodeKey: profile.nodeKey,
  version: 2,
  hash: "02".repeat(32),
  admins: ["03".repeat(32)],
};
const mode = (path: string) => statSync(path).mode & 0o777;

let dir: string;
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), "phantoma-home-test-"));
  dir = made;
  onTestFinished(() => rmSync(made, { recursive: true }));
});

test("a folder that was there keeps its mode", () => {
  chmodSync(dir, 0o755);
  new Home(dir).device();
  expect(mode(dir)).toBe(0o755);
  expect(mode(join(dir, "nodes"))).toBe(0o700);
});

test("folders and files of our making are ours alone", () => {
  const path = join(dir, "new", "home");
  const home = new Home(path);
  home.device();
  home.save(profile);
  home.saveSeenDevices("demo", seen);
  for (const made of [join(dir, "new"), path, join(path, "nodes")]) expect(mode(made)).toBe(0o700);
  for (const made of ["device.key", "nodes/demo.json", "nodes/demo.devices.json"])
    expect(mode(join(path, made))).toBe(0o600);
});

test.each([0o640, 0o604, 0o620])("a device key of mode %o is refused", (wide) => {
  const home = new Home(dir);
  const device = home.device();
  const path = join(dir, "device.key");
  chmodSync(path, wide);
  expect(() => home.device()).toThrow(
    expect.objectContaining({ code: "ERR_PROFILE", message: expect.stringContaining("chmod 600") }),
  );
  chmodSync(path, 0o600);
  expect(home.device().signing.publicKey).toEqual(device.signing.publicKey);
});

test("a record of device lists is kept beside its node, is no node, and is forgotten with it", () => {
  const home = new Home(dir);
  expect(home.seenDevices("demo")).toBeUndefined();
  home.save(profile);
  home.saveSeenDevices("demo", seen);
  expect(home.seenDevices("demo")).toEqual(seen);
  expect(home.nodes()).toEqual([profile]);
  home.forget("demo");
  expect(readdirSync(join(dir, "nodes"))).toEqual([]);
});

test("a name cannot leave the folder", () => {
  const home = new Home(dir);
  for (const name of ["../x", "a/b", "", "A", "demo.devices"])
    expect(() => home.saveSeenDevices(name, seen)).toThrow(
      expect.objectContaining({ code: "ERR_PROFILE" }),
    );
  expect(existsSync(join(dir, "x.devices.json"))).toBe(false);
});

test("a name that is taken stays its node's, whatever first key another one is said to have had", () => {
  const home = new Home(dir);
  home.save(profile);
  home.assertFree(profile);
  const other = { ...profile, nodeKey: "03".repeat(32), formerKeys: [profile.nodeKey] };
  expect(() => home.assertFree(other)).toThrow(expect.objectContaining({ code: "ERR_PROFILE" }));
  home.assertFree({ ...other, name: "other" });
});
