/** The keeper's connection to the warden: what goes there, what comes back, and how it comes back. */
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { LineReader } from "./line-reader.ts";
import { TestWarden } from "./test-warden.ts";
import { WardenLink, type WardenHandlers } from "./warden-link.ts";
import { MAX_WARDEN_LINE_BYTES, readWord } from "./warden-words.ts";

const event = {
  sequence: 1,
  bootNs: 1,
  unit: "worker",
  hook: "connect4",
  protocol: "tcp",
  address: "192.0.2.1",
  port: 443,
  cgroup: 7,
  pid: 8,
  uid: 9,
};

let warden: TestWarden;
let handlers: { [K in keyof WardenHandlers]: ReturnType<typeof vi.fn> };
let lists: Uint8Array[];

beforeEach(async () => {
  warden = await TestWarden.start();
  lists = [Buffer.of(1), Buffer.of(2)];
  handlers = {
    listsAfter: vi.fn((version: number) => lists.slice(version)),
    standingOrder: vi.fn(() => undefined),
    here: vi.fn(),
    away: vi.fn(),
    event: vi.fn(),
    windowClosed: vi.fn(),
  };
});

async function linked(): Promise<WardenLink> {
  const link = new WardenLink(warden.path, handlers as unknown as WardenHandlers);
  onTestFinished(() => link.close());
  await expect.poll(() => handlers.here.mock.calls.length).toBe(1);
  return link;
}

test("the lists that the warden does not know are told before anything else", async () => {
  warden.status = { ...warden.status, deviceListVersion: 1 };
  await linked();
  expect(warden.heard).toEqual(["status", "device-list 02", "status"]);
});

test("the standing order in force is shown after the lists, to every warden anew", async () => {
  handlers.standingOrder = vi.fn(() => Buffer.of(0xab, 9));
  const link = await linked();
  expect(warden.heard).toEqual([
    "status",
    "device-list 01",
    "device-list 02",
    "report ab09",
    "status",
  ]);
  warden.answer = () => "refused ERR_ORDER_REPLAYED";
  expect(await link.report(Buffer.of(7))).toEqual({ refused: "ERR_ORDER_REPLAYED" });
  expect(warden.heard.at(-1)).toBe("report 07");
});

test("the warden's part of a receipt comes back as it said it", async () => {
  const link = await linked();
  const part = {
    attempts: "18446744073709551615",
    unreported: "2",
    policy: "ab".repeat(32),
    bootId: "cd".repeat(16),
    signature: "ef".repeat(64),
  };
  const answered = (json: unknown) => {
    warden.answer = () => `ok ${JSON.stringify(json)}`;
    return link.witness(Buffer.of(6, 1));
  };
  expect(await answered(part)).toEqual({
    attempts: 2n ** 64n - 1n,
    unreported: 2n,
    policy: new Uint8Array(32).fill(0xab),
    bootId: new Uint8Array(16).fill(0xcd),
    signature: new Uint8Array(64).fill(0xef),
  });
  expect(warden.heard.at(-1)).toBe("witness 0601");
  expect(await answered({ isLive: true })).toBe("live");
  expect(await answered({})).toBeNull();
  for (const other of [
    { ...part, more: 1 },
    { ...part, attempts: 5 },
    { ...part, attempts: "-1" },
    { ...part, signature: "ef" },
    { ...part, policy: "AB".repeat(32) },
    null,
  ])
    expect(await answered(other)).toBeNull();
});

test("a warden that is away, or refuses, has no part: a receipt says null then", async () => {
  const link = await linked();
  warden.answer = () => "refused ERR_POLICY";
  expect(await link.witness(Buffer.of(6))).toBeNull();
  warden.stop();
  await expect.poll(() => handlers.away.mock.calls.length).toBe(1);
  expect(await link.witness(Buffer.of(6))).toBeNull();
});

test("an order goes as it was signed, and its answer comes back", async () => {
  const link = await linked();
  warden.answer = () => 'ok {"counter":"5","deadline":6}';
  expect(await link.openWindow(Buffer.of(0xab, 0xcd))).toEqual({
    ok: { counter: "5", deadline: 6 },
  });
  expect(warden.heard.at(-1)).toBe("window abcd");
  warden.answer = () => "refused ERR_ORDER_REPLAYED";
  expect(await link.openWindow(Buffer.of(1))).toEqual({ refused: "ERR_ORDER_REPLAYED" });
  expect(await link.closeWindow()).toEqual({ refused: "ERR_ORDER_REPLAYED" });
  expect(warden.heard.at(-1)).toBe("close-window");
});

test("attempts and the end of a window come unasked, also between a question and its answer", async () => {
  const link = await linked();
  warden.answer = () => {
    warden.say(`event ${JSON.stringify(event)}`);
    warden.say("lost 12");
    warden.say("window closed");
    return "ok {}";
  };
  expect(await link.closeWindow()).toEqual({ ok: {} });
  expect(handlers.event).toHaveBeenCalledOnce();
  expect(handlers.windowClosed).toHaveBeenCalledOnce();
});

test("a warden that was away is found again and told everything again", async () => {
  const link = await linked();
  warden.stop();
  await expect.poll(() => handlers.away.mock.calls.length).toBe(1);
  expect(await link.openWindow(Buffer.of(1))).toEqual({ refused: "ERR_NO_WARDEN" });
  expect(await link.status()).toBeUndefined();
  warden.heard.length = 0;
  await warden.listen();
  await expect.poll(() => handlers.here.mock.calls.length).toBe(2);
  expect(warden.heard.filter((line) => line.startsWith("device-list"))).toHaveLength(2);
});

test("what waits when the connection breaks is answered, and nothing waits for ever", async () => {
  const link = await linked();
  warden.answer = () => undefined;
  const opening = link.openWindow(Buffer.of(1));
  await expect.poll(() => warden.heard.at(-1)).toBe("window 01");
  warden.stop();
  expect(await opening).toEqual({ refused: "ERR_NO_WARDEN" });
});

test.each([
  ["an answer that nobody waits for", "ok {}"],
  ["a word it does not know", "hello"],
  ["an event of another form", 'event {"unit":"shell"}'],
  ["a refusal without a code", "refused"],
  ["no JSON", "ok {"],
  ["a line over the limit", "x".repeat(MAX_WARDEN_LINE_BYTES + 1)],
])("%s breaks the connection, and it is made again", async (_name, line) => {
  await linked();
  warden.say(line);
  await expect.poll(() => handlers.away.mock.calls.length).toBe(1);
  await expect.poll(() => handlers.here.mock.calls.length).toBe(2);
});

describe("a line", () => {
  test("is cut at its end wherever the pieces were cut, and is as long as its limit at most", () => {
    const reader = new LineReader(4);
    expect(reader.push(Buffer.from("ab"))).toEqual([]);
    expect(reader.push(Buffer.from("cd\n\nef\ng"))).toEqual(["abcd", "", "ef"]);
    expect(() => reader.push(Buffer.from("hijk"))).toThrow(RangeError);
    expect(() => new LineReader(4).push(Buffer.from("abcde\n"))).toThrow(RangeError);
  });

  test("of an attempt 200 days after the boot is read", () => {
    const late = { ...event, bootNs: 200 * 24 * 3600 * 1e9 };
    expect(readWord(`event ${JSON.stringify(late)}`)).toMatchObject({ event: { unit: "worker" } });
  });
});
