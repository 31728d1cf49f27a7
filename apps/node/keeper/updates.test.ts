/**
 * What reaches the installer, and what does not, with real folders and signed orders.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  updateApprovalDocument,
  updatePolicyDocument,
  type DeviceIdentity,
  type UpdateApproval,
  type UpdatePolicy,
} from "@phantoma/crypto";
import { MAX_HELD_BUNDLES } from "@phantoma/protocol";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { TestNode } from "../test-node.ts";
import { Updates } from "./updates.ts";

const DAY_MS = 86_400_000;
const bundle = Buffer.from("a bundle");
const digest = createHash("sha256").update(bundle).digest();
const sha256 = digest.toString("hex");
const name = (version: string) => `phantoma-node-${version}-linux-${process.arch}.tar.gz`;
const bundlePath = `targets/${sha256}.${name("0.2.0")}`;
const refusedOrder = (reason: string) => ({ code: "ERR_ORDER_REFUSED", reason });

let node: TestNode;
let dirs: { keeperDir: string; heraldDir: string; updatesDir: string; outcomeDir: string };
let updates: Updates;

beforeEach(() => {
  node = new TestNode();
  dirs = {
    keeperDir: join(node.dir, "keeper"),
    heraldDir: join(node.dir, "herald"),
    updatesDir: join(node.dir, "updates"),
    outcomeDir: join(node.dir, "outcome"),
  };
  for (const dir of Object.values(dirs)) mkdirSync(dir);
  for (const dir of ["metadata", "targets"]) mkdirSync(join(dirs.heraldDir, dir));
  updates = start();
});

function start(): Updates {
  const started = new Updates({
    ...dirs,
    node: node.key,
    version: "0.1.0",
    release: new Uint8Array(32),
    devices: () => node.devices,
    log: () => undefined,
  });
  onTestFinished(() => started.stop());
  return started;
}

/** As the herald leaves it. */
function fetched(content: Buffer = bundle, path = bundlePath): void {
  writeFileSync(join(dirs.heraldDir, "metadata/timestamp.json"), "{}");
  writeFileSync(join(dirs.heraldDir, "metadata/1.root.json"), "root");
  writeFileSync(join(dirs.heraldDir, path), content);
}

const given = (path: string) => join(dirs.updatesDir, path);

function order(by: DeviceIdentity) {
  return {
    node: node.key,
    counter: 5n,
    notAfter: Date.now() + DAY_MS,
    signer: by.signing.publicKey,
  };
}

function approval(change: Partial<UpdateApproval> = {}, by = node.admin): Uint8Array {
  const fields = { ...order(by), release: digest, version: "0.2.0", ...change };
  return updateApprovalDocument.sign(fields, by.signing.privateKey);
}

function policy(change: Partial<UpdatePolicy> = {}, by = node.admin): Uint8Array {
  const fields = { ...order(by), mode: "automatic", ...change } as const;
  return updatePolicyDocument.sign(fields, by.signing.privateKey);
}

test("what was fetched is shown by its file's name, and nothing else is", () => {
  expect(updates.state(Date.now())).toMatchObject({ version: "0.1.0", fetched: [], given: [] });
  fetched();
  writeFileSync(join(dirs.heraldDir, "targets", `${sha256}.${name("9.9.9")}.part`), "");
  writeFileSync(join(dirs.heraldDir, "targets", "words"), "");
  const shown = { name: name("0.2.0"), version: "0.2.0", sha256, bytes: bundle.length };
  expect(updates.state(Date.now()).fetched).toEqual([shown]);
});

describe("an approval", () => {
  test("brings what was fetched to the installer, and counts once", async () => {
    fetched();
    writeFileSync(join(dirs.heraldDir, "targets", "words"), "");
    const signed = approval();
    expect(await updates.approve(signed, Date.now())).toBeUndefined();
    expect(readFileSync(given(bundlePath))).toEqual(bundle);
    expect(readFileSync(given("metadata/1.root.json"), "utf8")).toBe("root");
    expect(readFileSync(given("update.approval"))).toEqual(Buffer.from(signed));
    expect(existsSync(given("targets/words"))).toBe(false);
    expect(await updates.approve(signed, Date.now())).toEqual(refusedOrder("ERR_ORDER_REPLAYED"));
    expect(updates.state(Date.now()).highestCounter).toBe("5");
    expect(await start().approve(signed, Date.now())).toEqual(refusedOrder("ERR_ORDER_REPLAYED"));
  });

  test.each([
    ["of a device that is no admin", {}, "chat", "ERR_NOT_AUTHORISED"],
    ["of a stranger", {}, "stranger", "ERR_NOT_AUTHORISED"],
    ["for another node", { node: new Uint8Array(32) }, "admin", "ERR_ORDER_NODE"],
    ["that is late", { notAfter: 1 }, "admin", "ERR_ORDER_EXPIRED"],
    ["for too long", { notAfter: Date.now() + 8 * DAY_MS }, "admin", "ERR_ORDER_TOO_LONG"],
  ] as const)("%s is refused", async (_what, change, by, reason) => {
    fetched();
    expect(await updates.approve(approval(change, node[by]), Date.now())).toEqual(
      refusedOrder(reason),
    );
    expect(existsSync(given("update.approval"))).toBe(false);
  });

  test("of what is not there is refused, and its number stays good", async () => {
    expect(await updates.approve(approval(), Date.now())).toBe("ERR_UPDATE_UNKNOWN");
    fetched();
    expect(await updates.approve(approval({ version: "0.3.0" }), Date.now())).toBe(
      "ERR_UPDATE_UNKNOWN",
    );
    expect(await updates.approve(approval(), Date.now())).toBeUndefined();
  });

  test("counts for what an admin's device has verified, whatever of a higher version lies beside it", async () => {
    await pushed("0.2.0", bundle);
    const higher = await pushed("9.9.9", Buffer.from("unchecked"));
    expect(updates.state(Date.now()).given.map((one) => one.version)).toEqual(["9.9.9", "0.2.0"]);
    expect(await updates.approve(approval(), Date.now())).toBeUndefined();
    expect(readFileSync(given(bundlePath))).toEqual(bundle);
    // Of what the herald has only this one reaches the installer's folder.
    fetched();
    writeFileSync(join(dirs.heraldDir, higher), "not what its name says");
    expect(await updates.approve(approval({ counter: 6n }), Date.now())).toBeUndefined();
    expect(readFileSync(given(bundlePath))).toEqual(bundle);
    expect(existsSync(given(higher))).toBe(false);
  });

  test("of a file that is not what its name says reaches nobody", async () => {
    fetched(Buffer.from("another"));
    expect(await updates.approve(approval(), Date.now())).toBe("ERR_DIGEST");
    expect(existsSync(given(bundlePath))).toBe(false);
    expect(existsSync(given("update.approval"))).toBe(false);
  });

  test("does not make the keeper follow a link that the herald laid", async () => {
    fetched();
    const secret = join(dirs.keeperDir, "node.key");
    writeFileSync(secret, bundle);
    rmSync(join(dirs.heraldDir, bundlePath));
    symlinkSync(secret, join(dirs.heraldDir, bundlePath));
    expect(await updates.approve(approval(), Date.now())).toBe("ERR_UPDATE_UNKNOWN");
    rmSync(join(dirs.heraldDir, "metadata/1.root.json"));
    symlinkSync(secret, join(dirs.heraldDir, "metadata/1.root.json"));
    expect(updates.read("fetched", "metadata/1.root.json", 0)).toEqual(Buffer.alloc(8, 255));
  });
});

describe("a policy", () => {
  const offered = () =>
    existsSync(given("update.offer")) ? readFileSync(given("update.offer"), "ascii") : undefined;

  test("offers what is newer to the installer, without asking", async () => {
    expect(await updates.submitPolicy(policy(), Date.now())).toBeUndefined();
    fetched();
    await expect.poll(offered, { timeout: 10_000 }).toBe(`0.2.0 ${sha256}\n`);
    expect(readFileSync(given(bundlePath))).toEqual(bundle);
    expect(existsSync(given("update.approval"))).toBe(false);
    expect(updates.state(Date.now()).policy).toMatchObject({ mode: "automatic" });
  });

  test("offers once a minute at most, whatever the herald does; a new policy is answered at once", async () => {
    await updates.submitPolicy(policy(), Date.now());
    fetched();
    await expect.poll(offered, { timeout: 10_000 }).toContain("0.2.0");
    rmSync(given("update.offer"));
    writeFileSync(join(dirs.heraldDir, "metadata/timestamp.json"), "another");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(offered()).toBeUndefined();
    await updates.submitPolicy(policy({ counter: 6n }), Date.now());
    await expect.poll(offered, { timeout: 10_000 }).toContain("0.2.0");
  });

  test("takes the place of an approval that lies there", async () => {
    fetched();
    expect(await updates.approve(approval(), Date.now())).toBeUndefined();
    expect(existsSync(given("update.approval"))).toBe(true);
    await updates.submitPolicy(policy({ counter: 6n, mode: "ask" }), Date.now());
    expect(existsSync(given("update.approval"))).toBe(false);
  });

  test("that asks, or that is over, offers nothing; nor does one an older release", async () => {
    fetched(bundle, `targets/${sha256}.${name("0.0.9")}`);
    await updates.submitPolicy(policy(), Date.now());
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(offered()).toBeUndefined();
    await updates.submitPolicy(policy({ counter: 6n, mode: "ask" }), Date.now());
    fetched();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(offered()).toBeUndefined();
    expect(updates.state(Date.now() + 2 * DAY_MS).policy).toBeNull();
  });

  test.each([
    ["of a device that is no admin", {}, "chat", "ERR_NOT_AUTHORISED"],
    ["for another node", { node: new Uint8Array(32) }, "admin", "ERR_ORDER_NODE"],
    ["for too long", { notAfter: Date.now() + 401 * DAY_MS }, "admin", "ERR_ORDER_TOO_LONG"],
  ] as const)("%s is refused", async (_what, change, by, reason) => {
    expect(await updates.submitPolicy(policy(change, node[by]), Date.now())).toEqual(
      refusedOrder(reason),
    );
  });

  test("of who is no admin any more does not count", async () => {
    await updates.submitPolicy(policy(), Date.now());
    node.devices = {
      ...node.devices,
      devices: node.devices.devices.map((one) => ({ ...one, revokedAt: 1 })),
    };
    expect(updates.state(Date.now()).policy).toBeNull();
  });
});

async function pushed(version: string, content: Buffer): Promise<string> {
  const path = `targets/${createHash("sha256").update(content).digest("hex")}.${name(version)}`;
  await updates.push(path, content.length);
  expect(await updates.pushChunk(path, 0, content)).toBe(content.length);
  return path;
}

describe("a file that is pushed", () => {
  test("is one of eight bundles; for one more the one that came first goes", async () => {
    const paths: string[] = [];
    for (let i = 0; i < MAX_HELD_BUNDLES; i += 1) {
      paths.push(await pushed(`0.${9 - i}.0`, Buffer.from(`bundle ${i}`)));
      // Two that come within a millisecond came at once.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(paths.every((path) => existsSync(given(path)))).toBe(true);
    const last = await pushed("0.1.0", Buffer.from("one more"));
    expect([...paths, last].map((path) => existsSync(given(path)))).toEqual([
      false,
      ...Array(MAX_HELD_BUNDLES).fill(true),
    ]);
    expect(updates.state(Date.now()).given).toHaveLength(MAX_HELD_BUNDLES);
    for (let i = 0; i <= MAX_HELD_BUNDLES; i += 1)
      fetched(bundle, `targets/${String(i).repeat(64)}.${name("0.2.0")}`);
    expect(updates.state(Date.now()).fetched).toHaveLength(MAX_HELD_BUNDLES);
  });

  test("goes on where it was cut, and is there when all of it has come", async () => {
    expect(await updates.push(bundlePath, bundle.length)).toBe(0);
    expect(await updates.pushChunk(bundlePath, 0, bundle.subarray(0, 3))).toBe(3);
    expect(await updates.push(bundlePath, bundle.length)).toBe(3);
    expect(await updates.pushChunk(bundlePath, 0, bundle)).toBe(3);
    expect(await updates.pushChunk(bundlePath, 3, bundle.subarray(3))).toBe(bundle.length);
    expect(updates.state(Date.now()).given).toMatchObject([{ version: "0.2.0", sha256 }]);
    expect(await updates.approve(approval(), Date.now())).toBeUndefined();
  });

  test("that is not what its name says is dropped", async () => {
    await updates.push(bundlePath, 4);
    expect(await updates.pushChunk(bundlePath, 0, Buffer.from("four"))).toBe("ERR_DIGEST");
    expect(updates.state(Date.now()).given).toEqual([]);
  });

  test.each([
    "../keeper/node.key",
    "metadata/../../keeper/node.key",
    "targets/words",
    "metadata/other.json",
    "update.approval",
  ])("as %s is refused", async (path) => {
    expect(await updates.push(path, 4)).toBe("ERR_MALFORMED");
    expect(await updates.pushChunk(path, 0, Buffer.from("four"))).toBe("ERR_UPDATE_UNKNOWN");
    expect(updates.read("given", path, 0)).toEqual(Buffer.alloc(8, 255));
  });

  test("may have 2 MiB of metadata and not a byte more", async () => {
    expect(await updates.push("metadata/timestamp.json", 2 ** 21)).toBe(0);
    expect(await updates.push("metadata/timestamp.json", 2 ** 21 + 1)).toBe("ERR_MALFORMED");
  });
});

test("how the last update ended is read from root's folder, and nothing that is not so written", () => {
  const path = join(dirs.outcomeDir, "last.json");
  const outcome = { version: "0.2.0", sha256, error: "ERR_ROLLED_BACK", at: 5 };
  writeFileSync(path, JSON.stringify(outcome));
  expect(updates.state(Date.now()).outcome).toEqual(outcome);
  writeFileSync(path, JSON.stringify({ ...outcome, command: "rm" }));
  expect(updates.state(Date.now()).outcome).toBeNull();
});
