/** The fetcher's process against a real model host: what it brings, what it refuses, what it leaves. */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  addressBytes,
  generateDeviceIdentity,
  openNextDeviceList,
  windowOrderDocument,
  type DeviceIdentity,
  type WindowOrder,
} from "@phantoma/crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { listPath } from "../devices/device-list-folder.ts";
import { readProgress, type FileProgress } from "../orders/progress.ts";
import { ORDER_FILE, statePaths } from "../setup/paths.ts";
import { entry as deviceEntry, TestNode } from "../test-node.ts";
import { TestAuthority, TestModelHost, weights, weightsDigest } from "./test-model-host.ts";

const entry = fileURLToPath(new URL("main.ts", import.meta.url));

let authority: TestAuthority;
let host: TestModelHost;
beforeAll(async () => {
  authority = await TestAuthority.make();
  host = new TestModelHost(await authority.issue("models.test", "cdn.test"));
  await host.listen("127.0.0.1");
});
afterAll(() => host.stop());

let node: TestNode;
let state: string;
let paths: ReturnType<typeof statePaths>;
beforeEach(() => {
  node = new TestNode();
  state = node.dir;
  paths = statePaths(state);
  for (const dir of [paths.ordersDir, paths.quarantineDir]) mkdirSync(dir);
  writeFileSync(join(paths.devicesDir, "node.pub"), Buffer.from(node.key).toString("hex"));
  writeFileSync(join(state, "ca.pem"), authority.pem);
  host.asked.length = 0;
});

const endpoint = (name: string, port = host.port, address = "127.0.0.1") => ({
  name,
  address: addressBytes(address),
  port,
});
const fileOf = (name: string, digest = weightsDigest) => ({
  name,
  digest: Buffer.from(digest, "hex"),
  size: BigInt(weights.length),
});

function writeOrder(
  name: string,
  change: Partial<WindowOrder> = {},
  by: DeviceIdentity = node.admin,
): void {
  const order: WindowOrder = {
    node: node.key,
    counter: 1n,
    notAfter: Date.now() + 30_000,
    signer: by.signing.publicKey,
    endpoints: [endpoint("models.test"), endpoint("cdn.test")],
    files: [fileOf(name)],
    ...change,
  };
  const signed = windowOrderDocument.sign(order, by.signing.privateKey);
  writeFileSync(join(paths.ordersDir, ORDER_FILE), signed);
}

/** Starts it as the node does; ends with the test. */
function start(...flags: string[]): { exited: Promise<number | null>; pid: number } {
  const args = [entry, "--state", state, "--connect-ms", "2000", "--idle-ms", "500", ...flags];
  // What it writes is for the keeper as well, whatever its unit's umask.
  const before = process.umask(0o077);
  const child = spawn(process.execPath, args, {
    stdio: "ignore",
    env: { NODE_EXTRA_CA_CERTS: join(state, "ca.pem") },
  });
  process.umask(before);
  onTestFinished(() => void child.kill("SIGKILL"));
  return { exited: new Promise((resolve) => child.once("exit", resolve)), pid: child.pid! };
}

const progress = (): FileProgress | undefined => readProgress(paths.quarantineDir, 1n)[0];
const part = () => join(paths.quarantineDir, `${weightsDigest}.part`);
const patiently = { timeout: 15_000 };

async function fetchOne(name: string, change: Partial<WindowOrder> = {}): Promise<FileProgress> {
  writeOrder(name, change);
  const { exited } = start();
  await expect.poll(() => progress()?.state, patiently).toMatch(/fetched|failed/);
  const seen = progress()!;
  rmSync(join(paths.ordersDir, ORDER_FILE));
  expect(await exited).toBe(0);
  expect(readdirSync(paths.quarantineDir)).toEqual([]);
  return seen;
}

test("a listed file arrives through its redirect, and waits until the order is gone", async () => {
  writeOrder("/owner/repo/resolve/main/model.gguf");
  const { exited } = start();
  await expect.poll(() => progress()?.state, patiently).toBe("fetched");
  expect(readFileSync(part())).toEqual(weights);
  expect(statSync(part()).mode & 0o777).toBe(0o644);
  expect(progress()).toMatchObject({ received: weights.length, error: null });
  expect(host.asked).toEqual([
    "GET models.test /owner/repo/resolve/main/model.gguf",
    "GET cdn.test /model.gguf",
  ]);
  rmSync(join(paths.ordersDir, ORDER_FILE));
  expect(await exited).toBe(0);
  expect(readdirSync(paths.quarantineDir)).toEqual([]);
});

describe("a file fails, and nothing of it is left", () => {
  test.each([
    ["/unlisted.gguf", "ERR_REDIRECT"],
    ["/plain.gguf", "ERR_REDIRECT"],
    ["/loop.gguf", "ERR_REDIRECT"],
    ["/longer.gguf", "ERR_TOO_LONG"],
    ["/longer-unsaid.gguf", "ERR_TOO_LONG"],
    ["/shorter-unsaid.gguf", "ERR_TOO_SHORT"],
    ["/zipped.gguf", "ERR_STATUS"],
    ["/none.gguf", "ERR_STATUS"],
  ])("%s: %s", async (name, error) => {
    expect(await fetchOne(name)).toMatchObject({ state: "failed", error });
  });

  test("when the certificate is for another name", async () => {
    const change = { endpoints: [endpoint("other.test")] };
    expect(await fetchOne("/model.gguf", change)).toMatchObject({ error: "ERR_TLS" });
  });

  test("when its redirect leads to a listed name at another port", async () => {
    const change = { endpoints: [endpoint("models.test"), endpoint("cdn.test", 1)] };
    const name = "/owner/repo/resolve/main/model.gguf";
    expect(await fetchOne(name, change)).toMatchObject({ error: "ERR_REDIRECT" });
  });

  test("when it is larger than the disk", async () => {
    const files = [{ ...fileOf("/model.gguf"), size: 2n ** 52n }];
    expect(await fetchOne("/model.gguf", { files })).toMatchObject({ error: "ERR_NO_SPACE" });
  });

  test.each([
    ["nothing answers", "/model.gguf", 1, "ERR_UNREACHABLE"],
    ["the host falls silent", "/silent.gguf", undefined, "ERR_TIMEOUT"],
    ["it comes too slowly", "/endless.gguf", undefined, "ERR_WINDOW_CLOSED"],
  ])("at the end of the window, when %s", { timeout: 30_000 }, async (_name, path, port, error) => {
    const endpoints = [endpoint("models.test", port)];
    // A busy machine takes seconds to start a process.
    const notAfter = Date.now() + 8_000;
    const seen = await fetchOne(path, { endpoints, notAfter });
    expect(seen).toMatchObject({ state: "failed", error });
    expect(Date.now()).toBeGreaterThanOrEqual(notAfter);
  });
});

test.each([
  ["a device that is in no list", () => writeOrder("/model.gguf", {}, node.stranger)],
  ["a device that only chats", () => writeOrder("/model.gguf", {}, node.chat)],
  ["an admin who was revoked", () => revokeAndOrder()],
  ["another node's admin", () => writeOrder("/model.gguf", { node: new Uint8Array(32) })],
])("nothing is asked for on the order of %s", { timeout: 30_000 }, async (_who, write) => {
  write();
  expect(await start().exited).toBe(1);
  expect(host.asked).toEqual([]);
  expect(progress()).toBeUndefined();
});

function revokeAndOrder(): void {
  const other = generateDeviceIdentity();
  const devices = [...node.devices.devices, deviceEntry(other, "admin")];
  const second = node.signList(2, node.devices.hash, devices);
  node.devices = openNextDeviceList(second, node.devices);
  writeFileSync(listPath(paths.devicesDir, 2), second);
  writeFileSync(listPath(paths.devicesDir, 3), node.revoke(other));
  writeOrder("/model.gguf", {}, other);
}

test("another window's order in the place of its own ends it", async () => {
  writeOrder("/endless.gguf");
  const { exited } = start();
  await expect.poll(() => progress()?.state, patiently).toBe("fetching");
  writeOrder("/endless.gguf", { counter: 2n });
  expect(await exited).toBe(0);
});

test("a host that is busy is asked again", async () => {
  expect(await fetchOne("/busy.gguf")).toMatchObject({ state: "fetched" });
  expect(host.asked).toHaveLength(3);
});

test("a connection that is cut goes on where it was cut", async () => {
  expect(await fetchOne("/cut.gguf")).toMatchObject({ state: "fetched" });
  expect(host.asked).toEqual([
    "GET models.test /cut.gguf",
    `GET models.test /cut.gguf bytes=${weights.length / 2}-`,
  ]);
});

test("a fetcher that was killed goes on with what lies there, and clears what nobody ordered", async () => {
  writeFileSync(part(), weights.subarray(0, 1000));
  writeFileSync(join(paths.quarantineDir, "other"), "");
  writeOrder("/model.gguf");
  start();
  await expect.poll(() => progress()?.state, patiently).toBe("fetched");
  expect(host.asked).toEqual(["GET models.test /model.gguf bytes=1000-"]);
  expect(createHash("sha256").update(readFileSync(part())).digest("hex")).toBe(weightsDigest);
  expect(existsSync(join(paths.quarantineDir, "other"))).toBe(false);
});

test("one file that does not come does not keep another one from coming", async () => {
  const other = randomBytes(32).toString("hex");
  writeOrder("/silent.gguf", { files: [fileOf("/silent.gguf", other), fileOf("/model.gguf")] });
  start();
  await expect
    .poll(
      () => readProgress(paths.quarantineDir, 1n).map((one) => [one.state, one.error]),
      patiently,
    )
    .toEqual([
      ["fetching", "ERR_TIMEOUT"],
      ["fetched", null],
    ]);
});

test("the next address of a name is tried when one does not answer", async () => {
  const endpoints = [endpoint("models.test", host.port, "127.0.0.9"), endpoint("models.test")];
  expect(await fetchOne("/model.gguf", { endpoints })).toMatchObject({ state: "fetched" });
});

test("it ends with the window when that is closed early", async () => {
  writeOrder("/endless.gguf");
  const { exited } = start();
  await expect.poll(() => progress()?.state, patiently).toBe("fetching");
  rmSync(join(paths.ordersDir, ORDER_FILE));
  expect(await exited).toBe(0);
  expect(readdirSync(paths.quarantineDir)).toEqual([]);
});
