/** What is found out before a window is signed, at a real model host with a redirect to its CDN. */
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import {
  addressText,
  generateDeviceIdentity,
  windowOrderDocument,
  type WindowOrder,
} from "@phantoma/crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  TestAuthority,
  TestModelHost,
  weights,
  weightsDigest,
} from "../../../apps/node/fetcher/test-model-host.ts";
import type { ClientErrorCode } from "./client-error.ts";
import { resolveModel, type ModelSource } from "./resolve-model.ts";
import {
  isPrivateAddress,
  MAX_CLOCK_GAP_MS,
  MAX_COUNTER_AHEAD_MS,
  signWindowOrder,
} from "./window-order.ts";

const failing = (code: ClientErrorCode) => expect.objectContaining({ name: "ClientError", code });
const usual = getCACertificates("default");

let host: TestModelHost;
beforeAll(async () => {
  const authority = await TestAuthority.make();
  setDefaultCACertificates([...usual, authority.pem]);
  host = new TestModelHost(await authority.issue("models.test", "cdn.test"));
  await host.listen("127.0.0.1");
});
afterAll(() => {
  host.stop();
  setDefaultCACertificates(usual);
});
beforeEach(() => void (host.asked.length = 0));

const addressesOf = async (name: string) =>
  ({ "models.test": ["127.0.0.1"], "cdn.test": ["127.0.0.1", "::1"] })[name] ?? [];
const at = (path: string) => `https://models.test:${host.port}${path}`;
const resolve = (path: string, more: Partial<ModelSource> = {}) =>
  resolveModel({ from: at(path), addressesOf, ...more });

test("every host on the way is found, with its addresses, and the file's size and SHA-256", async () => {
  const { port } = host;
  expect(await resolve("/owner/repo/resolve/main/model.gguf")).toEqual({
    path: "/owner/repo/resolve/main/model.gguf",
    digest: weightsDigest,
    bytes: weights.length,
    digestFrom: "host",
    endpoints: [
      { name: "models.test", address: "127.0.0.1", port },
      { name: "cdn.test", address: "127.0.0.1", port },
      { name: "cdn.test", address: "::1", port },
    ],
  });
  expect(host.asked).toEqual([
    "GET models.test /owner/repo/resolve/main/model.gguf bytes=0-0",
    "GET cdn.test /model.gguf bytes=0-0",
  ]);
});

test("a host that says no SHA-256 needs one that is given, and size comes from where it is said", async () => {
  await expect(resolve("/model.gguf")).rejects.toThrow(failing("ERR_MODEL_UNVERIFIABLE"));
  const sha256 = weightsDigest.toUpperCase();
  expect(await resolve("/model.gguf?a=1", { sha256 }).catch(String)).toContain("404");
  expect(await resolve("/model.gguf", { sha256 })).toMatchObject({
    digest: weightsDigest,
    bytes: weights.length,
    digestFrom: "given",
  });
});

describe("is not resolved", () => {
  test.each([
    ["a file that is not there", "/none.gguf", {}, "ERR_MODEL_HOST"],
    ["a loop", "/loop.gguf", {}, "ERR_MODEL_HOST"],
    ["a name without an address", "/unlisted.gguf", {}, "ERR_MODEL_HOST"],
    ["a redirect to plain HTTP", "/plain.gguf", {}, "ERR_MODEL_SOURCE"],
    [
      "another size than given",
      "/model.gguf",
      { bytes: 5, sha256: weightsDigest },
      "ERR_MODEL_UNVERIFIABLE",
    ],
    ["a SHA-256 of another form", "/model.gguf", { sha256: "ab" }, "ERR_MODEL_UNVERIFIABLE"],
    [
      "another SHA-256 than the host's",
      "/owner/repo/resolve/main/model.gguf",
      { sha256: "ab".repeat(32) },
      "ERR_MODEL_UNVERIFIABLE",
    ],
    ["a path longer than an order's", `/${"x".repeat(255)}`, {}, "ERR_MODEL_SOURCE"],
  ] as const)("%s", async (_name, path, more, code) => {
    await expect(resolve(path, more)).rejects.toThrow(failing(code));
  });

  test.each([
    "http://models.test/model.gguf",
    "https://user:secret@models.test/model.gguf",
    "file:///etc/passwd",
    "https://",
    "owner/repo",
    "owner/../repo/x y.gguf",
    "owner/repo/model.gguf@a@b",
    "",
  ])("%j", async (from) => {
    await expect(resolveModel({ from, addressesOf })).rejects.toThrow(failing("ERR_MODEL_SOURCE"));
  });
});

test.each([
  ["owner/repo/model.gguf", "/owner/repo/resolve/main/model.gguf"],
  ["owner/repo/sub/model.gguf@v1.0", "/owner/repo/resolve/v1.0/sub/model.gguf"],
  ["https://huggingface.co/owner/repo/blob/main/model.gguf", "/owner/repo/resolve/main/model.gguf"],
])("%s is asked for at the hub", async (from, path) => {
  const asked: string[] = [];
  const noAddress = async (name: string) => {
    asked.push(name);
    return [];
  };
  await expect(resolveModel({ from, addressesOf: noAddress })).rejects.toThrow("huggingface.co");
  expect([asked, path]).toEqual([["huggingface.co"], path]);
});

describe("an order", () => {
  const device = generateDeviceIdentity();
  const node = new Uint8Array(32).fill(3);
  const now = 1_000_000;
  const model = {
    path: "/model.gguf",
    digest: weightsDigest,
    bytes: 7,
    digestFrom: "host",
    endpoints: [{ name: "models.test", address: "192.0.2.1", port: 443 }],
  } as const;
  const sign = (
    models: readonly (typeof model)[],
    highestCounter = "0",
    nodeTime = now,
  ): WindowOrder =>
    windowOrderDocument.open(
      signWindowOrder(device, { node, models, highestCounter, lifetimeMs: 5, nodeTime }),
      ({ signer }) => signer,
    );
  beforeEach(() => {
    vi.spyOn(Date, "now").mockReturnValue(now);
    return () => vi.restoreAllMocks();
  });

  test("says exactly what was resolved, for this node, until its end", () => {
    const order = sign([model]);
    expect(order).toMatchObject({ node, counter: 1_000_000n, notAfter: 1_000_005 });
    expect(
      order.endpoints.map(({ name, address, port }) => [name, addressText(address), port]),
    ).toEqual([["models.test", "192.0.2.1", 443]]);
    expect(order.files).toMatchObject([{ name: "/model.gguf", size: 7n }]);
  });

  test("has a counter above every one before", () => {
    expect(sign([model], "1000000").counter).toBe(1_000_001n);
  });

  test("is for two minutes' difference of the clocks at most, and ends by the one that is behind", () => {
    expect(sign([model], "0", now + MAX_CLOCK_GAP_MS).notAfter).toBe(now + 5);
    expect(sign([model], "0", now - MAX_CLOCK_GAP_MS).notAfter).toBe(now - MAX_CLOCK_GAP_MS + 5);
    for (const gap of [MAX_CLOCK_GAP_MS + 1, -MAX_CLOCK_GAP_MS - 1])
      expect(() => sign([model], "0", now + gap)).toThrow(failing("ERR_CLOCKS"));
  });

  test("follows no counter of more than a year ahead", () => {
    const last = now + MAX_COUNTER_AHEAD_MS;
    expect(sign([model], String(last)).counter).toBe(BigInt(last) + 1n);
    expect(() => sign([model], String(last + 1))).toThrow(failing("ERR_CLOCKS"));
  });

  test("of several files names their one host once, and files of two hosts need two orders", () => {
    expect(sign([model, { ...model, path: "/b.gguf" } as never]).endpoints).toHaveLength(1);
    const other = { ...model, endpoints: [{ ...model.endpoints[0], name: "other.test" }] };
    expect(() => sign([model, other as never])).toThrow(failing("ERR_MODEL_SOURCE"));
  });

  test("holds 64 endpoints and not one more", () => {
    const many = (count: number) =>
      ({
        ...model,
        endpoints: Array.from({ length: count }, (_, port) => ({ ...model.endpoints[0], port })),
      }) as never;
    expect(() => sign([{ ...(many(64) as object) } as never])).not.toThrow();
    expect(() => sign([many(65)])).toThrow(failing("ERR_MODEL_SOURCE"));
  });
});

test.each([
  ["10.0.0.1", true],
  ["127.0.0.1", true],
  ["172.16.0.1", true],
  ["172.32.0.1", false],
  ["192.168.1.1", true],
  ["100.64.0.1", true],
  ["100.128.0.1", false],
  ["::1", true],
  ["fd00::1", true],
  ["fe80::1", true],
  ["2001:db8::1", false],
  ["192.0.2.1", false],
  ["223.255.255.255", false],
  ["224.0.0.1", true],
  ["ff02::1", true],
  ["FE80::1", true],
  ["0:0:0:0:0:0:0:1", true],
  ["::ffff:10.0.0.1", true],
  ["::ffff:a00:1", true],
  ["::ffff:192.0.2.1", false],
  ["64:ff9b::10.0.0.1", true],
  ["64:ff9b::192.0.2.1", false],
])("%s is on a network of one's own: %s", (address, isPrivate) => {
  expect(isPrivateAddress(address)).toBe(isPrivate);
});
