/** Receipts as the page is told of them: whose, witnessed by whom, what is missing, and as a file. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openReceiptFile, signFirstDeviceList } from "@phantoma/client";
import { generateDeviceIdentity, importNodeIdentity, Secret } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { ReceiptMaker } from "../../../packages/client/src/test-receipt.ts";
import { requests } from "../ipc/contract.ts";
import { pairedConsole } from "./console-under-test.ts";
import { NODE_KEY } from "./fake-node.ts";
import { openFileKeyStore } from "./key-store.ts";

const cell = { end: "finished", wipedBytes: 5n, wipedAt: 6 } as const;
/** Its public half is the played node's name only in what it signs. */
const maker = new ReceiptMaker(importNodeIdentity(new Secret(Buffer.alloc(32, 7))));

async function consoleWithOneTask() {
  const console = await pairedConsole();
  await console.answer({ parent: null, text: "hello" });
  const { device } = openFileKeyStore(console.homeDir);
  const { certificate } = console.node.last;
  const own = {
    node: certificate.node,
    task: certificate.ticket,
    device: device.signing.publicKey,
    workerKey: certificate.key,
    model: certificate.model,
    release: certificate.release,
  };
  const list = (before: number | null = null) =>
    console.session.requests["receipts.list"]({ node: NODE_KEY, before });
  return { ...console, own, device, list };
}

/** As packages/client gives them, whose work it is to check signatures. */
function given(change: object, attempts?: bigint) {
  const { receipt, document, witness } = maker.make(
    { ...change, grade: "C", node: maker.node.signing.publicKey },
    attempts,
  );
  return { receipt: { ...receipt, ...change }, document, witness };
}

test("each part is told by its witness, and whether the task was this console's", async () => {
  const { node, own, list } = await consoleWithOneTask();
  node.receipts = [
    given({ ...own, sequence: 2n, grade: "B", cell }, 3n),
    given({ sequence: 1n, grade: null }),
  ];
  const told = await list();
  expect(requests["receipts.list"].output.safeParse(told).error).toBeUndefined();
  expect(told.receipts).toMatchObject([
    {
      isOwn: true,
      grade: "B",
      cell: { end: "finished" },
      warden: { attempts: 3, isSigned: true },
    },
    { isOwn: false, grade: null, cell: null, warden: null },
  ]);
});

test.each(["workerKey", "model", "release", "device"] as const)(
  "a receipt of this console's task with another %s is not shown as one",
  async (field) => {
    const { node, own, list } = await consoleWithOneTask();
    node.receipts = [given({ ...own, [field]: new Uint8Array(32).fill(9) })];
    await expect(list()).rejects.toThrow(expect.objectContaining({ code: "ERR_NODE_IDENTITY" }));
  },
);

test("an admin is told what is missing, another device is not, and no other list takes that away", async () => {
  const another = await consoleWithOneTask();
  const { node, device, list } = await consoleWithOneTask();
  for (const one of [node, another.node])
    one.receipts = [given({ sequence: 7n }), given({ sequence: 3n })];
  expect((await another.list()).missing).toEqual([]);
  const nodeKey = Buffer.from(NODE_KEY, "hex");
  node.deviceList = signFirstDeviceList(device, "ours", nodeKey, 1).list;
  expect((await list()).missing).toEqual([{ epoch: 1, from: 4, to: 6 }]);
  const other = generateDeviceIdentity();
  node.deviceList = signFirstDeviceList(other, "another's", nodeKey, 1).list;
  await expect(list()).rejects.toThrow(expect.objectContaining({ code: "ERR_NODE_IDENTITY" }));
});

test("a full list is followed by another one, and what is missing between the two is told", async () => {
  const { node, device, list } = await consoleWithOneTask();
  node.deviceList = signFirstDeviceList(device, "ours", Buffer.from(NODE_KEY, "hex"), 1).list;
  const numbered = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => given({ sequence: BigInt(from - index) }));
  node.receipts = numbered(250, 100);
  expect(await list()).toMatchObject({ next: 151, missing: [] });
  node.receipts = [...numbered(151, 1), ...numbered(149, 3)];
  const { receipts, ...rest } = await list(151);
  expect(receipts.map(({ sequence }) => sequence)).toEqual([149, 148, 147]);
  expect(rest).toEqual({ next: null, missing: [{ epoch: 1, from: 150, to: 150 }] });
  expect(node.asked).toEqual([{ limit: 100 }, { limit: 100, before: 152 }]);
});

test("a saved file lies in this console's folder, for this user alone", async () => {
  const { node, homeDir, session } = await consoleWithOneTask();
  node.receipts = [given({ sequence: 7n }), given({ sequence: 3n })];
  const query = { node: NODE_KEY, task: null, before: null };
  const { path } = await session.requests["receipts.export"](query);
  expect(path).toBe(join(homeDir, "receipts", `${NODE_KEY.slice(0, 8)}-1-3-7.receipt`));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  // The played node's name is not the key that these are signed with, and that is noticed.
  expect(() => openReceiptFile(readFileSync(path))).toThrow(
    expect.objectContaining({ code: "ERR_RECEIPT_FORGED" }),
  );
});

test("a receipt that the node does not have makes no file", async () => {
  const { session } = await consoleWithOneTask();
  const input = { node: NODE_KEY, task: "01".repeat(32), before: null };
  await expect(session.requests["receipts.export"](input)).rejects.toThrow(
    expect.objectContaining({ code: "ERR_RECEIPT_UNKNOWN" }),
  );
});
