/** A control request in the protocol's words: what the keeper is asked, and what is made of its answer. */
import { doctorChecks } from "@phantoma/protocol";
import { expect, test } from "vitest";
import { KeeperRefused, type KeeperClient } from "../ipc/keeper-client.ts";
import { answerControl } from "./answer-control.ts";

type Asked = [request: string, body?: Uint8Array];

/** A keeper that gives one answer to everything and remembers what it was asked. */
function keeperThat(answer: () => Buffer): { keeper: KeeperClient; asked: Asked[] } {
  const asked: Asked[] = [];
  const ask = async (...request: Asked) => {
    asked.push(request);
    return answer();
  };
  return { keeper: { ask } as unknown as KeeperClient, asked };
}

const json = (value: unknown) => () => Buffer.from(JSON.stringify(value));
const status = {
  version: "0.1.0",
  release: "00".repeat(32),
  starter: "gateway",
  policy: "demo",
  nodeTime: 5,
  startedAt: 4,
  tasksLive: 3,
  tasksDone: 2,
  deviceListVersion: 1,
};

test("a status is passed on as it is", async () => {
  const { keeper, asked } = keeperThat(json(status));
  expect(await answerControl(keeper, { request: "status" })).toEqual({
    response: "status",
    status,
  });
  expect(asked).toEqual([["status"]]);
});

test("models are passed on as they are", async () => {
  const models = [{ name: "m", digest: "ab".repeat(32), bytes: 9 }];
  const { keeper } = keeperThat(json(models));
  expect(await answerControl(keeper, { request: "models" })).toEqual({
    response: "models",
    models,
  });
});

test("what the doctor says is passed on as it is, and no word more", async () => {
  const finding = { isGood: null, detail: "no /proc/swaps" };
  const findings = Object.fromEntries(doctorChecks.map((check) => [check, finding]));
  const doctor = { grade: "C", heldBy: "cell", readAt: null, findings };
  const { keeper, asked } = keeperThat(json(doctor));
  expect(await answerControl(keeper, { request: "doctor" })).toEqual({
    response: "doctor",
    doctor,
  });
  expect(asked).toEqual([["doctor"]]);
  const more = keeperThat(json({ ...doctor, cmdline: "x" }));
  await expect(answerControl(more.keeper, { request: "doctor" })).rejects.toThrow();
});

test("a keeper that says more than it may is not passed on", async () => {
  const { keeper } = keeperThat(json({ ...status, prompt: "x" }));
  await expect(answerControl(keeper, { request: "status" })).rejects.toThrow();
});

test("the device list goes as base64", async () => {
  const { keeper } = keeperThat(() => Buffer.from([255, 0, 1]));
  const response = { response: "devices", document: "/wAB" };
  expect(await answerControl(keeper, { request: "devices" })).toEqual(response);
});

test("receipts are asked by how many, task and number, and cut apart by their lengths", async () => {
  const task = "cd".repeat(32);
  const { keeper, asked } = keeperThat(() => Buffer.from([0, 0, 0, 1, 65, 0, 0, 0, 2, 66, 67]));
  const response = { response: "receipts", documents: ["QQ==", "QkM="] };
  expect(await answerControl(keeper, { request: "receipts", limit: 100, task })).toEqual(response);
  await answerControl(keeper, { request: "receipts", limit: 1 });
  await answerControl(keeper, { request: "receipts", limit: 2, before: 258 });
  expect(asked).toEqual([
    ["receipts", Buffer.concat([Buffer.from([0, 100]), Buffer.from(task, "hex")])],
    ["receipts", Buffer.from([0, 1])],
    ["receipts", Buffer.from([0, 2, 0, 0, 0, 0, 0, 0, 1, 2])],
  ]);
});

test("device lists are asked after a version, and cut apart by their lengths", async () => {
  const { keeper, asked } = keeperThat(() => Buffer.from([0, 0, 0, 1, 65, 0, 0, 0, 2, 66, 67]));
  const response = { response: "lists", documents: ["QQ==", "QkM="] };
  expect(await answerControl(keeper, { request: "device-lists", after: 258 })).toEqual(response);
  expect(asked).toEqual([["deviceLists", Buffer.from([0, 0, 1, 2])]]);
});

test("no receipts are an empty list", async () => {
  const { keeper } = keeperThat(() => Buffer.alloc(0));
  expect(await answerControl(keeper, { request: "receipts", limit: 5 })).toEqual({
    response: "receipts",
    documents: [],
  });
});

test("a device list is submitted as bytes", async () => {
  const { keeper, asked } = keeperThat(() => Buffer.alloc(0));
  const request = { request: "submit-device-list", document: "/wAB" } as const;
  expect(await answerControl(keeper, request)).toEqual({ response: "accepted" });
  expect(asked).toEqual([["submitDeviceList", Buffer.from([255, 0, 1])]]);
});

test.each([
  ["ERR_DOCUMENT_REFUSED", "ERR_DOCUMENT_REFUSED"],
  ["ERR_FORBIDDEN", "ERR_FORBIDDEN"],
  ["ERR_TICKET", "ERR_INVALID_MESSAGE"],
  ["ERR_MALFORMED", "ERR_INVALID_MESSAGE"],
  ["ERR_UNAVAILABLE", "ERR_UNAVAILABLE"],
  ["ERR_STORAGE", "ERR_UNAVAILABLE"],
  ["ERR_ORDER_REFUSED", "ERR_ORDER_REFUSED"],
  ["ERR_WINDOW_OPEN", "ERR_WINDOW_OPEN"],
  ["ERR_NO_POLICY", "ERR_NO_POLICY"],
  ["ERR_NO_WARDEN", "ERR_UNAVAILABLE"],
  ["ERR_NO_SPACE", "ERR_NO_SPACE"],
  ["ERR_DIGEST", "ERR_DIGEST"],
  ["ERR_MODEL_UNKNOWN", "ERR_MODEL_UNKNOWN"],
  ["ERR_MODEL_IN_USE", "ERR_MODEL_IN_USE"],
  ["ERR_BUSY", "ERR_UNAVAILABLE"],
  ["ERR_UPDATE_UNKNOWN", "ERR_UPDATE_UNKNOWN"],
] as const)("the keeper's %s is %s to a device", async (code, told) => {
  const { keeper } = keeperThat(() => {
    throw new KeeperRefused(code);
  });
  expect(await answerControl(keeper, { request: "status" })).toMatchObject({
    response: "refused",
    code: told,
  });
});

test("why an order was refused reaches the device in the warden's word", async () => {
  const { keeper } = keeperThat(() => {
    throw new KeeperRefused("ERR_ORDER_REFUSED", "ERR_ORDER_REPLAYED");
  });
  const request = { request: "open-window", document: "AQ==" } as const;
  expect(await answerControl(keeper, request)).toMatchObject({
    code: "ERR_ORDER_REFUSED",
    message: "the order was refused: ERR_ORDER_REPLAYED",
  });
});

const digest = "ab".repeat(32);
const hex = (text: string) => Buffer.from(text, "hex");

test.each([
  [{ request: "open-window", document: "AQI=" }, "openWindow", "0102"],
  [{ request: "submit-standing-order", document: "AQI=" }, "submitStandingOrder", "0102"],
  [{ request: "submit-licence", document: "AQI=" }, "submitLicence", "0102"],
  [{ request: "remove-model", digest }, "removeModel", digest],
] as const)("%j is asked in bytes and accepted", async (request, name, body) => {
  const { keeper, asked } = keeperThat(() => Buffer.alloc(0));
  expect(await answerControl(keeper, request)).toEqual({ response: "accepted" });
  expect(asked).toEqual([[name, hex(body)]]);
});

test.each([
  [{ request: "push-model", name: "m", digest, bytes: 258 }, "pushModel", "00000000000001026d"],
  [
    { request: "push-chunk", digest, offset: 1, chunk: "/wAB" },
    "pushChunk",
    "0000000000000001ff0001",
  ],
] as const)("%j is asked in bytes and answered with an offset", async (request, name, body) => {
  const { keeper, asked } = keeperThat(() => hex("0000000100000000"));
  expect(await answerControl(keeper, request)).toEqual({ response: "push", offset: 2 ** 32 });
  expect(asked).toEqual([[name, hex(digest + body)]]);
});

test.each([
  [1, true],
  [0, false],
])("a model of which the keeper says %i: whole is %s", async (said, isWhole) => {
  const { keeper } = keeperThat(() => Buffer.of(said));
  const answer = await answerControl(keeper, { request: "verify-model", digest });
  expect(answer).toEqual({ response: "model", isWhole });
});

test("the egress log is asked by sequence and number", async () => {
  const egress = { policy: null, countingSince: 1, counts: [], days: [], events: [], latest: 0 };
  const { keeper, asked } = keeperThat(json(egress));
  const request = { request: "egress", after: 258, limit: 200 } as const;
  expect(await answerControl(keeper, request)).toEqual({ response: "egress", egress });
  expect(asked).toEqual([["egress", hex("000000000000010200c8")]]);
});
