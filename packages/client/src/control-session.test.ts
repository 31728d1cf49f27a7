/** A control session as a device sees it, with a clerk that a test speaks for. */
import { CloseCode, ControlKind, doctorChecks, type ControlResponse } from "@phantoma/protocol";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { makeTlsIdentity } from "../../../apps/node/setup/tls-identity.ts";
import type { ClientErrorCode } from "./client-error.ts";
import { ControlSession } from "./control-session.ts";
import { TestGateway, type TestProcess } from "./test-gateway.ts";
import { ReceiptMaker } from "./test-receipt.ts";

const failing = (code: ClientErrorCode) => expect.objectContaining({ name: "ClientError", code });
const bytes = (value: number) => new Uint8Array(32).fill(value);

let gateway: TestGateway;
let asked: unknown[];
let answer: (request: any, stream: number, process: TestProcess) => void;

beforeEach(async () => {
  gateway = await TestGateway.start(await makeTlsIdentity());
  asked = [];
  gateway.onMessage = (event, process) => {
    if (event.type === "end") return;
    expect(event.bytes[0]).toBe(ControlKind.request);
    const request: unknown = JSON.parse(event.bytes.subarray(1).toString());
    asked.push(request);
    answer(request, event.stream, process);
  };
});

async function open(): Promise<ControlSession> {
  const { profile, device } = gateway;
  const session = await ControlSession.open({ profile, device });
  onTestFinished(() => session.close());
  return session;
}

function answers(response: ControlResponse | object): void {
  answer = (_request, stream, process) => process.say(stream, ControlKind.response, response, true);
}

test("models, device list and a submitted list go their way", async () => {
  const session = await open();
  answers({ response: "models", models: [] });
  expect(await session.models()).toEqual([]);
  answers({ response: "devices", document: "/wAB" });
  expect(Buffer.from(await session.deviceList())).toEqual(Buffer.from([255, 0, 1]));
  answers({ response: "lists", documents: ["AQ==", "Ag=="] });
  expect((await session.deviceListsAfter(3)).map(([byte]) => byte)).toEqual([1, 2]);
  answers({ response: "accepted" });
  await session.submitDeviceList(Buffer.from([1, 2, 3]));
  expect(asked).toEqual([
    { request: "models" },
    { request: "devices" },
    { request: "device-lists", after: 3 },
    { request: "submit-device-list", document: "AQID" },
  ]);
});

test("the doctor is asked, and what is no answer of its is refused", async () => {
  const session = await open();
  const finding = { isGood: true, detail: null };
  const findings = Object.fromEntries(doctorChecks.map((check) => [check, finding]));
  const doctor = { grade: "A", heldBy: null, readAt: 1, findings };
  answers({ response: "doctor", doctor });
  expect(await session.doctor()).toEqual(doctor);
  expect(asked).toEqual([{ request: "doctor" }]);
  answers({ response: "doctor", doctor: { ...doctor, grade: "A+" } });
  await expect(session.doctor()).rejects.toThrow(failing("ERR_HANDSHAKE"));
});

test("egress, windows and models go their way", async () => {
  const session = await open();
  const digest = "ab".repeat(32);
  const egress = { policy: null, countingSince: 1, counts: [], days: [], events: [], latest: 0 };
  answers({ response: "egress", egress });
  expect(await session.egress({ after: 3, limit: 5 })).toEqual(egress);
  const window = { open: null, highestCounter: "7", transfers: [] };
  answers({ response: "window", window });
  expect(await session.window()).toEqual(window);
  answers({ response: "accepted" });
  await session.openWindow(Buffer.of(1, 2, 3));
  await session.closeWindow();
  await session.removeModel(digest);
  answers({ response: "push", offset: 3 });
  expect(await session.beginPush({ name: "m", digest, bytes: 9 })).toBe(3);
  expect(await session.pushChunk(digest, 3, Buffer.of(255, 0, 1))).toBe(3);
  answers({ response: "model", isWhole: false });
  expect(await session.verifyModel(digest)).toBe(false);
  expect(asked).toEqual([
    { request: "egress", after: 3, limit: 5 },
    { request: "window" },
    { request: "open-window", document: "AQID" },
    { request: "close-window" },
    { request: "remove-model", digest },
    { request: "push-model", name: "m", digest, bytes: 9 },
    { request: "push-chunk", digest, offset: 3, chunk: "/wAB" },
    { request: "verify-model", digest },
  ]);
});

test("answers find their requests in whatever order they come", async () => {
  const waiting: (() => void)[] = [];
  answer = ({ request }, stream, process) => {
    const response =
      request === "models"
        ? { response: "models", models: [] }
        : { response: "devices", document: "AQ==" };
    waiting.unshift(() => process.say(stream, ControlKind.response, response, true));
    if (waiting.length === 2) for (const say of waiting) say();
  };
  const session = await open();
  const [models, list] = await Promise.all([session.models(), session.deviceList()]);
  expect([models, Buffer.from(list)]).toEqual([[], Buffer.of(1)]);
});

describe("receipts", () => {
  const given = (...receipts: readonly { document: Uint8Array }[]) =>
    answers({
      response: "receipts",
      documents: receipts.map(({ document }) => Buffer.from(document).toString("base64")),
    });

  test("are verified with the node's key and come with their bytes", async () => {
    const session = await open();
    const made = new ReceiptMaker(gateway.node).make();
    given(made);
    const [receipt] = await session.receipts({ task: bytes(1), limit: 5 });
    expect(receipt!.receipt).toMatchObject({ task: bytes(1), cell: null });
    expect(receipt!.document).toEqual(made.document);
    expect(asked).toEqual([{ request: "receipts", limit: 5, task: "01".repeat(32) }]);
  });

  test("of another node are not believed, though they are signed", async () => {
    const session = await open();
    given(new ReceiptMaker().make());
    await expect(session.receipts()).rejects.toThrow(failing("ERR_NODE_IDENTITY"));
  });

  test("of another task are no answer to a question for one", async () => {
    const session = await open();
    given(new ReceiptMaker(gateway.node).make());
    expect(await session.receipts({ task: bytes(1) })).toHaveLength(1);
    await expect(session.receipts({ task: bytes(9) })).rejects.toThrow(
      failing("ERR_NODE_IDENTITY"),
    );
  });

  test("that are not below the number asked for are no answer", async () => {
    const session = await open();
    const maker = new ReceiptMaker(gateway.node);
    given(maker.make({ sequence: 6n }), maker.make({ sequence: 5n }));
    expect(await session.receipts({ before: 7 })).toHaveLength(2);
    expect(asked).toEqual([{ request: "receipts", limit: 20, before: 7 }]);
    await expect(session.receipts({ before: 6 })).rejects.toThrow(failing("ERR_NODE_IDENTITY"));
  });

  test("have a warden's part of the warden that this device was told of, or none", async () => {
    const maker = new ReceiptMaker(gateway.node);
    given(maker.make({}, 5n), maker.make());
    const witnesses = async (wardenKey?: string) => {
      gateway.profile = { ...gateway.profile, wardenKey };
      return (await (await open()).receipts()).map(({ witness }) => witness);
    };
    expect(await witnesses(maker.keys.wardenKey)).toEqual(["verified", "absent"]);
    expect(await witnesses()).toEqual(["unverified", "absent"]);
    await expect(witnesses("01".repeat(32))).rejects.toThrow(failing("ERR_NODE_IDENTITY"));
  });
});

test("a refusal is passed on with its code", async () => {
  const session = await open();
  answers({ response: "refused", code: "ERR_FORBIDDEN", message: "no" });
  await expect(session.status()).rejects.toThrow(failing("ERR_FORBIDDEN"));
});

test("an answer to another question is none", async () => {
  const session = await open();
  answers({ response: "accepted" });
  await expect(session.models()).rejects.toThrow(failing("ERR_INVALID_MESSAGE"));
});

test("what waits fails when the session ends, and so does everything after", async () => {
  answer = (_request, _stream, process) => process.socket.close(CloseCode.revoked);
  const session = await open();
  const revoked = failing("ERR_DEVICE_REVOKED");
  await expect(session.status()).rejects.toThrow(revoked);
  await expect(session.models()).rejects.toThrow(revoked);
});

test("a question that is not answered in 10 s fails alone; a late answer to it changes nothing", async () => {
  const session = await open();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const late = Promise.withResolvers<() => void>();
  const body = { response: "models", models: [] };
  answer = (_request, stream, process) =>
    late.resolve(() => process.say(stream, ControlKind.response, body, true));
  const unanswered = session.models();
  const failed = expect(unanswered).rejects.toThrow(failing("ERR_TIMEOUT"));
  const sayLate = await late.promise;
  vi.advanceTimersByTime(10_000);
  await failed;
  sayLate();
  answers({ response: "devices", document: "AQ==" });
  expect(Buffer.from(await session.deviceList())).toEqual(Buffer.of(1));
});
