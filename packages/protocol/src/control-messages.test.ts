/** Every field of a control message at its bounds and one past them. */
import { MAX_DOCUMENT_BYTES } from "@phantoma/crypto";
import { describe, expect, test } from "vitest";
import {
  controlRefusals,
  controlRequestSchema,
  controlResponseSchema,
  modelSchema,
  statusSchema,
} from "./control-messages.ts";
import { MAX_HELD_BUNDLES, MAX_PUSH_CHUNK_BYTES } from "./limits.ts";

const hex32 = "0a".repeat(32);
const times = <T>(count: number, value: T) => Array.from({ length: count }, () => value);
const document = (bytes: number) => Buffer.alloc(bytes, 7).toString("base64");
const request = (value: object) => controlRequestSchema.safeParse(value).success;
const response = (value: object) => controlResponseSchema.safeParse(value).success;

describe("a request", () => {
  test.each(["status", "models", "devices", "doctor", "window", "close-window", "last-seen"])(
    "for %s is its name and nothing else",
    (name) => {
      expect(request({ request: name })).toBe(true);
      expect(request({ request: name, limit: 1 })).toBe(false);
    },
  );

  test("for something else is refused", () => {
    expect(request({ request: "secrets" })).toBe(false);
    expect(request({})).toBe(false);
  });

  test.each([
    [1, true],
    [100, true],
    [0, false],
    [101, false],
    [1.5, false],
    [undefined, false],
  ])("for %s receipts: %s", (limit, isTaken) => {
    expect(request({ request: "receipts", limit })).toBe(isTaken);
  });

  test.each([
    [0, true],
    [2 ** 32 - 1, true],
    [2 ** 32, false],
    [-1, false],
    [undefined, false],
  ])("for the device lists after %s: %s", (after, isTaken) => {
    expect(request({ request: "device-lists", after })).toBe(isTaken);
  });

  test.each([
    [hex32, true],
    [hex32.toUpperCase(), false],
    [hex32.slice(1), false],
    [`${hex32}0`, false],
    [`${hex32}\n`, false],
    [undefined, false],
  ])("for the receipts of task %j: %s", (task, isTaken) => {
    expect(request({ request: "receipts", limit: 1, task })).toBe(isTaken);
  });

  test.each([
    [1, true],
    [Number.MAX_SAFE_INTEGER, true],
    [Number.MAX_SAFE_INTEGER + 1, false],
    [0, false],
    [1.5, false],
    ["2", false],
    [undefined, false],
  ])("for the receipts below %j: %s", (before, isTaken) => {
    expect(request({ request: "receipts", limit: 1, before })).toBe(isTaken);
  });

  test("one task's receipt is not asked for below a number", () => {
    const asked = { request: "receipts", limit: 1 };
    expect(request({ ...asked, task: hex32, before: 2 })).toBe(false);
  });

  test.each([
    [0, 1, true],
    [0, 200, true],
    [Number.MAX_SAFE_INTEGER, 1, true],
    [-1, 1, false],
    [0.5, 1, false],
    [0, 0, false],
    [0, 201, false],
    [undefined, 1, false],
  ])("for what was refused after %s, at most %s: %s", (after, limit, isTaken) => {
    expect(request({ request: "egress", after, limit })).toBe(isTaken);
  });

  test.each(["submit-device-list", "open-window", "submit-standing-order", "submit-licence"])(
    "of %s carries a document",
    (name) => {
      expect(request({ request: name, document: document(MAX_DOCUMENT_BYTES) })).toBe(true);
      expect(request({ request: name, document: document(MAX_DOCUMENT_BYTES + 1) })).toBe(false);
    },
  );

  test.each([
    [{}, true],
    [{ name: "m".repeat(255) }, true],
    [{ name: "m".repeat(256) }, false],
    [{ name: "" }, false],
    [{ bytes: 0 }, false],
    [{ digest: "../x" }, false],
  ])("to push a model with %j: %s", (change, isTaken) => {
    const push = { request: "push-model", name: "m", digest: hex32, bytes: 1 };
    expect(request({ ...push, ...change })).toBe(isTaken);
  });

  test.each([
    [0, MAX_PUSH_CHUNK_BYTES, true],
    [1, 1, true],
    [0, MAX_PUSH_CHUNK_BYTES + 1, false],
    [0, 0, false],
    [-1, 1, false],
  ])("to push a chunk at %s of %s bytes: %s", (offset, bytes, isTaken) => {
    const chunk = document(bytes);
    expect(request({ request: "push-chunk", digest: hex32, offset, chunk })).toBe(isTaken);
  });

  test.each(["remove-model", "verify-model"])("to %s names it by its digest", (name) => {
    expect(request({ request: name, digest: hex32 })).toBe(true);
    expect(request({ request: name, digest: "m" })).toBe(false);
    expect(request({ request: name })).toBe(false);
  });

  test("carries a list of any length that a document may have, in base64", () => {
    const submit = (text: unknown) => request({ request: "submit-device-list", document: text });
    expect(submit(document(MAX_DOCUMENT_BYTES))).toBe(true);
    expect(submit(document(MAX_DOCUMENT_BYTES + 1))).toBe(false);
    expect(submit("not base64!")).toBe(false);
    expect(submit("YQ")).toBe(false);
    expect(submit(1)).toBe(false);
  });
});

describe("a model", () => {
  const model = { name: "m", digest: hex32, bytes: 0 };
  test.each([
    [{ name: "" }, true],
    [{ name: "m".repeat(255) }, true],
    [{ name: "m".repeat(256) }, false],
    [{ digest: "00" }, false],
    [{ bytes: -1 }, false],
    [{ bytes: 0.5 }, false],
    [{ path: "/" }, false],
  ])("with %j: %s", (change, isTaken) => {
    expect(modelSchema.safeParse({ ...model, ...change }).success).toBe(isTaken);
  });
});

describe("a status", () => {
  const status = {
    version: "0.1.0",
    release: hex32,
    starter: "systemd",
    policy: "enforced",
    nodeTime: 0,
    startedAt: 0,
    tasksLive: 0,
    tasksDone: 0,
    deviceListVersion: 1,
  };
  test.each([
    [{}, true],
    [{ version: "v".repeat(32) }, true],
    [{ version: "v".repeat(33) }, false],
    [{ release: "" }, false],
    [{ starter: "gateway", policy: "none" }, true],
    [{ starter: "other" }, false],
    [{ policy: "off" }, false],
    [{ nodeTime: -1 }, false],
    [{ startedAt: 1.5 }, false],
    [{ tasksLive: -1 }, false],
    [{ tasksDone: undefined }, false],
    [{ deviceListVersion: 0 }, false],
    [{ unknown: 1 }, false],
  ])("with %j: %s", (change, isTaken) => {
    expect(statusSchema.safeParse({ ...status, ...change }).success).toBe(isTaken);
  });
});

test.each([
  [MAX_HELD_BUNDLES, true],
  [MAX_HELD_BUNDLES + 1, false],
])("a node says of %s bundles that they lie there: %s", (count, isTaken) => {
  const name = "phantoma-node-0.2.0-linux-x64.tar.gz";
  const bundles = times(count, { name, version: "0.2.0", sha256: hex32, bytes: 1 });
  const runs = { version: "0.1.0", release: hex32, highestCounter: "0" };
  const update = { ...runs, fetched: bundles, given: bundles, policy: null, outcome: null };
  expect(response({ response: "update", update })).toBe(isTaken);
});

describe("a response", () => {
  const model = { name: "m", digest: hex32, bytes: 0 };
  const seen = { device: hex32, hour: 0 };
  test.each([
    ["models at their limit", { response: "models", models: times(1000, model) }, true],
    ["a model too many", { response: "models", models: times(1001, model) }, false],
    ["a device list", { response: "devices", document: "YQ==" }, true],
    ["device lists at their limit", { response: "lists", documents: times(64, "YQ==") }, true],
    ["a device list too many", { response: "lists", documents: times(65, "YQ==") }, false],
    ["as many devices as a list has", { response: "last-seen", devices: times(64, seen) }, true],
    ["a device more", { response: "last-seen", devices: times(65, seen) }, false],
    ["receipts at their limit", { response: "receipts", documents: times(100, "YQ==") }, true],
    ["a receipt too many", { response: "receipts", documents: times(101, "YQ==") }, false],
    ["receipts that are not base64", { response: "receipts", documents: ["{}"] }, false],
    ["a push", { response: "push", offset: 0 }, true],
    ["a push before its start", { response: "push", offset: -1 }, false],
    ["a whole model", { response: "model", isWhole: true }, true],
    ["a model that is perhaps whole", { response: "model", isWhole: null }, false],
    ["acceptance", { response: "accepted" }, true],
    ["acceptance with a word", { response: "accepted", text: "" }, false],
    ["something else", { response: "other" }, false],
  ])("of %s", (_name, value, isTaken) => {
    expect(response(value)).toBe(isTaken);
  });

  test("that refuses has a code of the list and at most 300 characters", () => {
    const refused = (code: string, length: number) =>
      response({ response: "refused", code, message: "m".repeat(length) });
    for (const code of controlRefusals) expect(refused(code, 300)).toBe(true);
    expect(refused("ERR_FORBIDDEN", 301)).toBe(false);
    expect(refused("ERR_OTHER", 0)).toBe(false);
  });
});
