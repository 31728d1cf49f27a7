/** Which of its former keys a node still leads on from. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  approveSuccession,
  generateDeviceIdentity,
  generateNodeIdentity,
  MAX_FORMER_KEYS,
  successionDocument,
} from "@phantoma/crypto";
import { expect, onTestFinished, test } from "vitest";
import { readSuccessions, successionPath } from "./successions.ts";

const hex = (key: Uint8Array) => Buffer.from(key).toString("hex");

/** A folder in which the node had this many keys before. @returns them all, the first one first */
function formerly(dir: string, count: number): Uint8Array[] {
  const admin = generateDeviceIdentity().signing;
  const nodes = Array.from({ length: count + 1 }, () => generateNodeIdentity().signing);
  for (const [index, { publicKey: from, privateKey }] of nodes.slice(0, -1).entries()) {
    const to = nodes[index + 1]!.publicKey;
    const devices = new Uint8Array(32);
    const approved = { from, to, devices, issuedAt: index, admin: admin.publicKey };
    const approval = approveSuccession(approved, admin.privateKey);
    const document = successionDocument.sign({ ...approved, approval }, privateKey);
    writeFileSync(successionPath(dir, from), document);
  }
  return nodes.map(({ publicKey }) => publicKey);
}

test.each([
  [0, 0],
  [MAX_FORMER_KEYS, MAX_FORMER_KEYS],
  [MAX_FORMER_KEYS + 1, MAX_FORMER_KEYS],
])("a node that had %i keys before leads on from the newest %i", (count, kept) => {
  const dir = mkdtempSync(join(tmpdir(), "phantoma-successions-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const keys = formerly(dir, count);
  const newest = keys.at(-1)!;
  const found = readSuccessions(dir, newest);
  const former = keys.slice(0, -1).slice(count - kept);
  expect([...found.keys()]).toEqual(former.map(hex).toReversed());
});
