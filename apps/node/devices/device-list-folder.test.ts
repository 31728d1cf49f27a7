/** The chain of device lists on disk: followed forwards only, and only where it is genuine. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { activeDevice, generateDeviceIdentity } from "@phantoma/crypto";
import { expect, onTestFinished, test, vi } from "vitest";
import { entry, TestNode } from "../test-node.ts";
import {
  DeviceListFolder,
  GENESIS_FILE,
  listPath,
  SEEN_DEVICES_FILE,
} from "./device-list-folder.ts";

const notAuthorised = expect.objectContaining({ code: "ERR_NOT_AUTHORISED" });
const seenPath = (node: TestNode) => join(node.dir, SEEN_DEVICES_FILE);
const folderOf = (node: TestNode) =>
  new DeviceListFolder(node.devicesDir, node.key, seenPath(node));

function write(node: TestNode, version: number, list: Uint8Array): void {
  writeFileSync(listPath(node.devicesDir, version), list);
}

test("a list's file name is its version with leading zeros", () => {
  expect(listPath("/d", 12)).toBe("/d/00000012.list");
});

test("the chain is followed from the pinned list to its end", () => {
  const node = new TestNode();
  const second = node.revoke(node.chat);
  write(node, 2, second);
  const folder = folderOf(node);
  expect(folder.current).toEqual(node.devices);
  expect(folder.current.version).toBe(2);
  expect(folder.currentBytes).toEqual(Buffer.from(second));
  expect(activeDevice(folder.current, node.chat.signing.publicKey)).toBeUndefined();
});

test("a first list that root did not pin is refused", () => {
  const node = new TestNode();
  const other = new TestNode();
  write(node, 1, other.firstList);
  expect(() => folderOf(node)).toThrow(notAuthorised);
});

test("a pin that is missing or empty pins nothing", () => {
  const node = new TestNode();
  writeFileSync(join(node.devicesDir, GENESIS_FILE), "");
  expect(() => folderOf(node)).toThrow(notAuthorised);
  rmSync(join(node.devicesDir, GENESIS_FILE));
  expect(() => folderOf(node)).toThrow(expect.objectContaining({ code: "ENOENT" }));
});

test("a first list for another node is refused though it is pinned", () => {
  const node = new TestNode();
  expect(() => new DeviceListFolder(node.devicesDir, new Uint8Array(32), seenPath(node))).toThrow(
    notAuthorised,
  );
});

test.each([
  ["signed by a stranger", (node: TestNode, next: Next) => next(node.stranger)],
  ["signed by a device that only chats", (node: TestNode, next: Next) => next(node.chat)],
  ["that skips a version", (node: TestNode, next: Next) => next(node.admin, 3)],
  ["that repeats a version", (node: TestNode, next: Next) => next(node.admin, 1)],
  ["of random bytes", () => Buffer.alloc(300, 3)],
  ["that is empty", () => Buffer.alloc(0)],
])("a next list %s is as if it were not there", (_name, make) => {
  const node = new TestNode();
  const added = entry(generateDeviceIdentity(), "admin");
  const next: Next = (by, version = 2) =>
    node.signList(version, node.devices.hash, [...node.devices.devices, added], by);
  write(node, 2, make(node, next));
  expect(folderOf(node).current.version).toBe(1);
});

type Next = (by: TestNode["admin"], version?: number) => Uint8Array;

test("a list behind a gap is not reached", () => {
  const node = new TestNode();
  node.revoke(node.chat);
  const third = node.signList(3, node.devices.hash, node.devices.devices);
  write(node, 3, third);
  expect(folderOf(node).current.version).toBe(1);
});

test("add writes the next list, which a new reader finds", () => {
  const node = new TestNode();
  const folder = folderOf(node);
  const second = node.revoke(node.chat);
  folder.add(second);
  expect(folder.current.version).toBe(2);
  expect(folder.currentBytes).toEqual(Buffer.from(second));
  expect(folderOf(node).current).toEqual(folder.current);
  expect(readdirSync(node.devicesDir).filter((name) => name.endsWith(".new"))).toEqual([]);
});

test("add refuses a forged list and one that is not the next, and writes nothing", () => {
  const node = new TestNode();
  const folder = folderOf(node);
  const second = node.revoke(node.chat);
  const forged = Buffer.from(second);
  forged[forged.length - 1]! ^= 1;
  expect(() => folder.add(forged)).toThrow(expect.objectContaining({ name: "CryptoError" }));
  expect(existsSync(listPath(node.devicesDir, 2))).toBe(false);
  folder.add(second);
  expect(() => folder.add(second)).toThrow(notAuthorised);
  expect(folder.current.version).toBe(2);
});

test("a watcher is told of a newer list, and keeps it when the file goes", async () => {
  const node = new TestNode();
  const folder = folderOf(node);
  const versions: number[] = [];
  const changed = Promise.withResolvers<void>();
  const stop = folder.watch(
    () => {
      versions.push(folder.current.version);
      changed.resolve();
    },
    () => undefined,
  );
  onTestFinished(stop);
  write(node, 2, node.revoke(node.chat));
  await changed.promise;
  expect(versions).toEqual([2]);
  rmSync(listPath(node.devicesDir, 2));
  write(node, 1, new TestNode().firstList);
  expect(folder.current.version).toBe(2);
});

test("a list is found without any notification of the file system, and not after the end", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const node = new TestNode();
  const folder = folderOf(node);
  const onChange = vi.fn();
  const stop = folder.watch(onChange, () => undefined);
  write(node, 2, node.revoke(node.chat));
  vi.advanceTimersByTime(249);
  expect(onChange).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onChange).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(10_000);
  expect(onChange).toHaveBeenCalledOnce();
  stop();
  write(node, 3, node.signList(3, node.devices.hash, node.devices.devices));
  vi.advanceTimersByTime(10_000);
  expect(onChange).toHaveBeenCalledOnce();
});

test("lists that were taken away meanwhile are missed: a revoked device does not come back", () => {
  const node = new TestNode();
  write(node, 2, node.revoke(node.chat));
  expect(folderOf(node).current.version).toBe(2);
  rmSync(listPath(node.devicesDir, 2));
  expect(() => folderOf(node)).toThrow(notAuthorised);
  rmSync(seenPath(node));
  expect(folderOf(node).current.version).toBe(1);
});

test("a chain that ends before what this reader saw is refused, by any way it saw it", () => {
  const ways = {
    start: (node: TestNode, list: Uint8Array) => {
      write(node, 2, list);
      folderOf(node);
    },
    add: (node: TestNode, list: Uint8Array) => folderOf(node).add(list),
    watch: (node: TestNode, list: Uint8Array) => {
      vi.useFakeTimers();
      onTestFinished(() => void vi.useRealTimers());
      const stop = folderOf(node).watch(
        () => undefined,
        () => undefined,
      );
      write(node, 2, list);
      vi.advanceTimersByTime(250);
      stop();
    },
  };
  for (const see of Object.values(ways)) {
    const node = new TestNode();
    see(node, node.revoke(node.chat));
    rmSync(listPath(node.devicesDir, 2));
    expect(() => folderOf(node)).toThrow(notAuthorised);
  }
});

test("a list that was exchanged meanwhile is noticed, though an admin signed it", () => {
  const node = new TestNode();
  const before = node.devices;
  write(node, 2, node.revoke(node.chat));
  expect(folderOf(node).current.version).toBe(2);
  write(node, 2, node.signList(2, before.hash, before.devices));
  expect(() => folderOf(node)).toThrow(notAuthorised);
});

test("where its own file cannot be written a reader still follows", () => {
  const node = new TestNode();
  const folder = new DeviceListFolder(node.devicesDir, node.key, "/nowhere/devices-seen");
  folder.add(node.revoke(node.chat));
  expect(folder.current.version).toBe(2);
});

test("a next list that cannot be read is no end of the chain: a start fails, a watcher says so once", async () => {
  const node = new TestNode();
  const folder = folderOf(node);
  const [onChange, onUnreadable] = [vi.fn(), vi.fn()];
  onTestFinished(folder.watch(onChange, onUnreadable));
  const second = node.revoke(node.chat);
  // Root, as whom tests may run, can read every file.
  mkdirSync(listPath(node.devicesDir, 2));
  await expect.poll(() => onUnreadable.mock.calls.length).toBe(1);
  expect(() => folderOf(node)).toThrow(expect.objectContaining({ code: "EINVAL" }));
  expect(folder.current.version).toBe(1);
  rmSync(listPath(node.devicesDir, 2), { recursive: true });
  write(node, 2, second);
  await expect.poll(() => onChange.mock.calls.length).toBe(1);
  expect(onUnreadable).toHaveBeenCalledTimes(1);
});
