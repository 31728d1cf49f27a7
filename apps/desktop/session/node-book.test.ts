/** A node that changes its key is the same one to the console: its place, its pages and its saved conversations. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDeviceList, originOf, signFirstDeviceList, signSuccession } from "@phantoma/client";
import { generateDeviceIdentity, generateNodeIdentity, successionDocument } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { testProfile } from "../../../packages/client/src/devices/test-profile.ts";
import type { NodeView } from "../ipc/node.ts";
import { DeviceDesk } from "./device-desk.ts";
import { FakeNode } from "./fake-node.ts";
import { NodeBook, seenPath } from "./node-book.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const admin = generateDeviceIdentity();

/** A console that knows a node with one device, and what the node says when it has its next key. */
function knowing(approver = admin) {
  const homeDir = mkdtempSync(join(tmpdir(), "phantoma-book-"));
  const [old, next] = [generateNodeIdentity().signing, generateNodeIdentity().signing];
  const node = new FakeNode();
  const changed: NodeView[] = [];
  const open = () =>
    new NodeBook({
      homeDir,
      openControl: () => node.openControl(),
      onChanged: (view) => changed.push(view),
      onRemoved: () => undefined,
    });
  const book = open();
  const id = hex(old.publicKey);
  book.addPaired({ ...testProfile, nodeKey: id });
  const desk = new DeviceDesk({ homeDir, book, device: admin });
  const first = signFirstDeviceList(admin, "desk", old.publicKey, 1);
  desk.remember(first.verified);
  const theirs = signFirstDeviceList(approver, "desk", old.publicKey, 1).verified;
  const { list, approved, approval } = signSuccession(approver, theirs, next.publicKey, 2);
  const document = successionDocument.sign({ ...approved, approval }, old.privateKey);
  return { homeDir, book, open, desk, id, next, list, document, changed };
}

test("it keeps its name here, and the first list under its next key is the one that was signed", () => {
  const { homeDir, book, open, desk, id, next, list, document, changed } = knowing();
  const profile = book.following(id)(document, book.usable(id));
  expect(profile.nodeKey).toBe(hex(next.publicKey));
  expect(book.usable(id)).toEqual(profile);
  expect(changed.at(-1)!.id).toBe(id);
  expect(changed.at(-1)!.fingerprint).not.toEqual(changed[0]!.fingerprint);
  expect(desk.remember(openDeviceList(list, profile.nodeKey)).version).toBe(1);
  const other = signFirstDeviceList(admin, "other", next.publicKey, 3).verified;
  expect(() => desk.remember(other)).toThrow(
    expect.objectContaining({ code: "ERR_NODE_IDENTITY" }),
  );
  // Whoever asked under the old key meanwhile is given the same.
  expect(book.following(id)(document, { ...testProfile, nodeKey: id })).toEqual(profile);
  book.close();
  const again = open();
  expect(again.list().map((view) => view.id)).toEqual([id]);
  expect(originOf(again.usable(id))).toBe(id);
  expect(readFileSync(seenPath(homeDir, profile.nodeKey), "utf8")).toContain(profile.nodeKey);
  again.close();
});

test("it stays what it was where no admin whom this console has seen approved", () => {
  const { book, id, document } = knowing(generateDeviceIdentity());
  const before = book.usable(id);
  expect(() => book.following(id)(document, before)).toThrow(
    expect.objectContaining({ code: "ERR_NODE_IDENTITY" }),
  );
  expect(book.usable(id)).toEqual(before);
  book.close();
});

test("an invitation that names its first key takes no node's place", () => {
  const { book, open, id, next } = knowing();
  const before = book.usable(id);
  const claimed = { ...testProfile, nodeKey: hex(next.publicKey), formerKeys: [id] };
  expect(() => book.addPaired(claimed)).toThrow(
    expect.objectContaining({ code: "ERR_NODE_IDENTITY" }),
  );
  expect(book.usable(id)).toEqual(before);
  book.close();
  const again = open();
  expect(again.usable(id)).toEqual(before);
  again.close();
});

test("a node that was set up from here has its admins known from the beginning", () => {
  const { homeDir, open, id, document } = knowing(generateDeviceIdentity());
  rmSync(join(homeDir, "nodes"), { recursive: true });
  const book = open();
  const { verified } = signFirstDeviceList(admin, "desk", Buffer.from(id, "hex"), 1);
  book.addProvisioned({ ...testProfile, nodeKey: id }, verified);
  expect(() => book.following(id)(document, book.usable(id))).toThrow(
    expect.objectContaining({ code: "ERR_NODE_IDENTITY" }),
  );
  book.close();
});

test("what was seen of a node stays when it is paired with once more, and goes when it is forgotten", () => {
  const { homeDir, book, desk, id, next, list, document } = knowing();
  const profile = book.following(id)(document, book.usable(id));
  const first = desk.remember(openDeviceList(list, profile.nodeKey));
  const records = [id, hex(next.publicKey)].map((key) => seenPath(homeDir, key));
  book.addPaired(profile);
  expect(records.map((path) => existsSync(path))).toEqual([true, true]);
  for (const path of records) writeFileSync(path, "{");
  expect(() => desk.remember(first)).toThrow(expect.objectContaining({ code: "ERR_PROFILE" }));
  book.forget(id);
  expect(records.map((path) => existsSync(path))).toEqual([false, false]);
  desk.remember(first);
  expect(book.addPaired(profile).id).toBe(id);
  book.close();
});

test("a record that cannot be read is made anew when the node is set up from here", () => {
  const { homeDir, book, desk, id } = knowing();
  writeFileSync(seenPath(homeDir, id), "{");
  const { verified } = signFirstDeviceList(admin, "desk", Buffer.from(id, "hex"), 1);
  book.addProvisioned({ ...testProfile, nodeKey: id }, verified);
  expect(desk.remember(verified)).toBe(verified);
  book.close();
});
