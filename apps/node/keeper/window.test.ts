/** A window from its order to its end, and what of its files reaches the store. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressBytes, windowOrderDocument, type WindowOrder } from "@phantoma/crypto";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { readCatalogue } from "../models/model-store.ts";
import { writeProgress, type FileProgress } from "../orders/progress.ts";
import { TestNode } from "../test-node.ts";
import { TestWarden } from "./test-warden.ts";
import { WardenLink } from "./warden-link.ts";
import { MAX_WINDOW_MS, Window } from "./window.ts";

const weights = Buffer.from("weights");
const digest = createHash("sha256").update(weights).digest();
const progress: FileProgress = {
  digest: digest.toString("hex"),
  received: 7,
  state: "fetched",
  error: null,
};

let node: TestNode;
let warden: TestWarden;
let window: Window;
let dirs: { ordersDir: string; quarantineDir: string };

beforeEach(async () => {
  node = new TestNode();
  warden = await TestWarden.start();
  dirs = { ordersDir: join(node.dir, "orders"), quarantineDir: join(node.dir, "quarantine") };
  for (const dir of Object.values(dirs)) mkdirSync(dir);
  window = await make();
});

async function make(): Promise<Window> {
  const here = Promise.withResolvers<void>();
  const made: Window = new Window({
    node: node.key,
    modelsDir: node.modelsDir,
    ...dirs,
    devices: () => node.devices,
    warden: new WardenLink(warden.path, {
      listsAfter: () => [],
      standingOrder: () => undefined,
      here: () => here.resolve(),
      away: () => undefined,
      event: () => undefined,
      windowClosed: () => void made.closed(),
    }),
  });
  await here.promise;
  onTestFinished(() => made.stop());
  return made;
}

function orderOf(change: Partial<WindowOrder> = {}, by = node.admin): Uint8Array {
  const order: WindowOrder = {
    node: node.key,
    counter: 5n,
    notAfter: Date.now() + 60_000,
    signer: by.signing.publicKey,
    endpoints: [{ name: "models.test", address: addressBytes("192.0.2.1"), port: 443 }],
    files: [{ name: "/owner/repo/resolve/main/small.gguf", digest, size: 7n }],
    ...change,
  };
  return windowOrderDocument.sign(order, by.signing.privateKey);
}

const open = (order = orderOf()) => window.open(order, Date.now());
const orderPath = () => join(dirs.ordersDir, "window.order");
const transfer = () => window.state("5").transfers[0]!;
const wasAsked = () => warden.heard.some((line) => line.startsWith("window "));

/** As the fetcher does it. */
function fetched(content: Buffer, said: Partial<FileProgress> = {}, order = 5n): void {
  writeFileSync(join(dirs.quarantineDir, `${progress.digest}.part`), content);
  writeProgress(dirs.quarantineDir, order, [{ ...progress, ...said }]);
}

test("an open window has its order on disk for everybody to read, byte for byte", async () => {
  const order = orderOf();
  expect(await open(order)).toBeUndefined();
  expect(readFileSync(orderPath())).toEqual(Buffer.from(order));
  expect(statSync(orderPath()).mode & 0o777).toBe(0o644);
  expect(window.state("5")).toMatchObject({
    open: {
      counter: "5",
      endpoints: [{ name: "models.test", address: "192.0.2.1", port: 443 }],
      files: [{ bytes: 7 }],
    },
    highestCounter: "5",
    transfers: [{ state: "waiting", received: 0, error: null }],
  });
});

describe("an order is refused and never reaches the warden", () => {
  test.each([
    ["of a chat device", () => orderOf({}, node.chat), "ERR_NOT_AUTHORISED"],
    ["of a stranger", () => orderOf({}, node.stranger), "ERR_NOT_AUTHORISED"],
    ["for another node", () => orderOf({ node: new Uint8Array(32) }), "ERR_ORDER_NODE"],
    ["that is over", () => orderOf({ notAfter: Date.now() }), "ERR_ORDER_EXPIRED"],
    [
      "that is too long",
      () => orderOf({ notAfter: Date.now() + MAX_WINDOW_MS + 1_000 }),
      "ERR_ORDER_TOO_LONG",
    ],
    ["without a file", () => orderOf({ files: [] }), "ERR_DOCUMENT_FIELD"],
    ["without an endpoint", () => orderOf({ endpoints: [] }), "ERR_DOCUMENT_FIELD"],
    ["that is a device list", () => node.firstList, "ERR_DOCUMENT_TYPE"],
    ["that is cut", () => orderOf().subarray(0, 80), "ERR_LENGTH"],
  ])("%s", async (_name, order, code) => {
    expect(await open(order())).toBe(code);
    expect([wasAsked(), existsSync(orderPath())]).toEqual([false, false]);
  });

  test("with another byte", async () => {
    const order = orderOf();
    order[40]! ^= 1;
    expect(await open(order)).toBe("ERR_AUTHENTICATION");
  });

  test("while another window is open", async () => {
    await open();
    expect(await open(orderOf({ counter: 6n }))).toBe("ERR_WINDOW_OPEN");
  });
});

test.each(["ERR_ORDER_REPLAYED", "ERR_POLICY"])("what the warden says counts: %s", async (code) => {
  warden.answer = () => `refused ${code}`;
  expect(await open()).toBe(code);
  expect([window.state("5").open, existsSync(orderPath())]).toEqual([null, false]);
});

test("a fetched file is stored under its name, and the window closes itself", async () => {
  await open();
  fetched(weights);
  await expect.poll(() => window.state("5").open).toBeNull();
  expect(transfer()).toMatchObject({ state: "stored", received: 7, error: null });
  expect(readCatalogue(node.modelsDir)).toContainEqual({
    name: "small",
    digest: progress.digest,
    bytes: 7,
  });
  await expect.poll(() => existsSync(orderPath())).toBe(false);
  expect(warden.heard.at(-1)).toBe("close-window");
});

test.each([
  ["other bytes", Buffer.from("weightS"), "ERR_DIGEST"],
  ["more", Buffer.from("weights!"), "ERR_TOO_LONG"],
  ["less", Buffer.from("weight"), "ERR_TOO_SHORT"],
])("a fetcher that brings %s than signed stores nothing", async (_name, content, error) => {
  await open();
  fetched(content);
  await expect.poll(() => transfer()).toMatchObject({ state: "failed", error });
  expect(readdirSync(node.modelsDir)).toEqual(["catalogue.json"]);
  await expect.poll(() => existsSync(orderPath())).toBe(false);
});

test("what the fetcher says of itself is shown, and why it tries again", async () => {
  await open();
  writeProgress(dirs.quarantineDir, 5n, [
    { ...progress, received: 3, state: "fetching", error: "ERR_TIMEOUT" },
  ]);
  await expect
    .poll(() => transfer())
    .toMatchObject({ received: 3, state: "fetching", error: "ERR_TIMEOUT" });
});

test.each([
  ["no JSON", "{"],
  ["another form", '{"files":[{"digest":"../../x"}]}'],
  [
    "a file nobody ordered",
    JSON.stringify({ order: "5", files: [{ ...progress, digest: "00".repeat(32) }] }),
  ],
  ["an earlier order's files", JSON.stringify({ order: "4", files: [progress] })],
  ["too much", JSON.stringify({ order: "5", files: [], pad: "x".repeat(70_000) })],
])("a progress file with %s changes nothing", async (_name, text) => {
  await open();
  writeFileSync(join(dirs.quarantineDir, "progress.json"), text);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(transfer()).toMatchObject({ state: "waiting" });
});

test("at the deadline what is not here has failed, with the last reason if there was one", async () => {
  await open();
  warden.say("window closed");
  await expect
    .poll(() => transfer())
    .toMatchObject({ state: "failed", error: "ERR_WINDOW_CLOSED" });
  expect([window.state("5").open, existsSync(orderPath())]).toEqual([null, false]);
  await open(orderOf({ counter: 6n }));
  writeProgress(dirs.quarantineDir, 6n, [
    { ...progress, state: "fetching", error: "ERR_UNREACHABLE" },
  ]);
  warden.say("window closed");
  await expect.poll(() => transfer()).toMatchObject({ state: "failed", error: "ERR_UNREACHABLE" });
});

test("closing early stops the fetcher even when the warden is away", async () => {
  await open();
  warden.stop();
  expect(await window.close()).toEqual({ refused: "ERR_NO_WARDEN" });
  expect([window.state("5").open, existsSync(orderPath())]).toEqual([null, false]);
});

test("a keeper that restarts goes on with an open window, and not with one that is over", async () => {
  await open();
  window.stop();
  const again = await make();
  expect(again.state("5").open).toMatchObject({ counter: "5" });
  await again.compareWith({ counter: "5", deadline: 1 });
  expect(again.state("5").open).not.toBeNull();
  await again.compareWith(null);
  expect([again.state("5").open, existsSync(orderPath())]).toEqual([null, false]);
  writeFileSync(orderPath(), orderOf({ notAfter: Date.now() - 1 }));
  expect((await make()).state("5").open).toBeNull();
  expect(existsSync(orderPath())).toBe(false);
});

test("a window that only the warden knows of is closed there", async () => {
  await window.compareWith({ counter: "9", deadline: 1 });
  expect(warden.heard.at(-1)).toBe("close-window");
});
