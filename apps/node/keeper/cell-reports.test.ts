/** Reports of cells over real sockets: whose they are, what is not one, and how long they are waited for. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { encodeFrame } from "../ipc/frames.ts";
import { CELL_ENDED_BYTES, CellReport } from "../ipc/keeper-link.ts";
import { temporaryDir } from "../test-node.ts";
import { CellReports } from "./cell-reports.ts";

const CELL = { end: "finished", wipedBytes: 300n, wipedAt: 1_700_000_000_000 } as const;
const FINISHED = { cell: CELL, seen: "overwritten" };
const UNSEEN = { cell: null, seen: "unseen" };
const log = vi.fn();

const MAX = 3;

let reports: CellReports;
let server: Server;
let path: string;

beforeEach(async () => {
  log.mockReset();
  reports = new CellReports(log, MAX);
  path = join(temporaryDir(), "reports.sock");
  server = createServer((socket) => reports.take(socket)).listen(path);
  await once(server, "listening");
});

afterEach(() => void server.close());

const encodeHandle = (handle: Buffer) => encodeFrame(CellReport.handle, handle);

function encodeEnded({
  ending = 1,
  wiped = 300n,
  unreached = 0n,
  length = CELL_ENDED_BYTES,
} = {}): Buffer {
  const body = Buffer.alloc(CELL_ENDED_BYTES);
  body.writeUInt8(ending, 0);
  body.writeBigUInt64BE(wiped, 1);
  body.writeBigUInt64BE(unreached, 9);
  body.writeBigUInt64BE(BigInt(CELL.wipedAt), 17);
  return encodeFrame(CellReport.ended, body.subarray(0, length));
}

/** A cell that has said its handle, and been heard. */
async function cell(handle = randomBytes(16)): Promise<{ handle: Buffer; socket: Socket }> {
  const before = reports.count;
  const socket = connect(path);
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  socket.write(encodeHandle(handle));
  await expect.poll(() => reports.count).toBe(before + 1);
  return { handle, socket };
}

test("a report is given to the task with its handle, and to it once", async () => {
  const [one, other] = [await cell(), await cell()];
  one.socket.write(encodeEnded());
  expect(await reports.of(one.handle)).toEqual(FINISHED);
  expect(await reports.of(one.handle)).toEqual(UNSEEN);
  other.socket.write(encodeEnded({ ending: 5 }));
  expect(await reports.of(other.handle)).toEqual({ ...FINISHED, cell: { ...CELL, end: "killed" } });
  expect(reports.count).toBe(0);
});

test("a report that comes before it is asked for is kept, also when the cell has gone", async () => {
  const { handle, socket } = await cell();
  socket.end(encodeEnded());
  await once(socket, "close");
  expect(await reports.of(handle)).toEqual(FINISHED);
});

test("a cell that dies without a word has taken its child along, and overwrote nothing", async () => {
  const { handle, socket } = await cell();
  const asked = reports.of(handle);
  socket.end();
  expect(await asked).toEqual({ cell: null, seen: "freed" });
});

test("in want of memory, or without a byte, the kernel had it before the cell", async () => {
  for (const said of [{ ending: 6 }, { wiped: 0n }]) {
    const { handle, socket } = await cell();
    socket.write(encodeEnded(said));
    expect(await reports.of(handle)).toMatchObject({ cell: {}, seen: "freed" });
  }
  const { handle, socket } = await cell();
  socket.write(encodeEnded({ wiped: 1n }));
  expect(await reports.of(handle)).toMatchObject({ seen: "overwritten" });
});

test("nobody waits for a task without a cell, or with a handle that no cell said", async () => {
  expect(await reports.of(undefined)).toEqual(UNSEEN);
  expect(await reports.of(randomBytes(16))).toEqual(UNSEEN);
});

test("what could not be overwritten in whole is no report, and is logged with how much is left", async () => {
  const { handle, socket } = await cell();
  socket.write(encodeEnded({ unreached: 4096n }));
  expect(await reports.of(handle)).toEqual(UNSEEN);
  expect(log).toHaveBeenCalledWith("wipe-incomplete", { count: 4096 });
});

test.each([
  ["an end that nobody knows", encodeEnded({ ending: 7 })],
  ["end 0", encodeEnded({ ending: 0 })],
  ["a report that is too short", encodeEnded({ length: CELL_ENDED_BYTES - 1 })],
  ["an empty report", encodeEnded({ length: 0 })],
  ["a body over the limit", encodeFrame(CellReport.ended, Buffer.alloc(CELL_ENDED_BYTES + 1))],
  ["a second handle", encodeHandle(randomBytes(16))],
])("a cell is hung up on after %s, and has said nothing", async (_name, bytes) => {
  const { handle, socket } = await cell();
  socket.write(bytes);
  await once(socket, "close");
  expect(await reports.of(handle)).toEqual(UNSEEN);
});

test.each([
  ["a report before its handle", encodeEnded()],
  ["a handle that is too short", encodeHandle(randomBytes(15))],
  ["a handle that is too long", encodeHandle(randomBytes(17))],
])("a stranger is hung up on after %s", async (_name, bytes) => {
  const socket = connect(path).on("error", () => undefined);
  socket.write(bytes);
  await once(socket.resume(), "close");
  expect(reports.count).toBe(0);
});

test("somebody who says a cell's handle again is hung up on, and the cell is still heard", async () => {
  const { handle, socket } = await cell();
  const thief = connect(path).on("error", () => undefined);
  thief.write(Buffer.concat([encodeHandle(handle), encodeEnded({ ending: 5 })]));
  await once(thief.resume(), "close");
  socket.write(encodeEnded());
  expect(await reports.of(handle)).toEqual(FINISHED);
});

test("connections count before they have said a handle: as many as the limit, and not one more", async () => {
  const silent: Socket[] = [];
  for (let opened = 0; opened < MAX - 1; opened += 1) {
    silent.push(connect(path));
    await once(server, "connection");
  }
  onTestFinished(() => silent.forEach((socket) => socket.destroy()));
  const { handle, socket } = await cell();
  const over = connect(path).on("error", () => undefined);
  await once(over.resume(), "close");
  socket.write(encodeEnded());
  expect(await reports.of(handle)).toEqual(FINISHED);
  expect(silent.map(({ destroyed }) => destroyed)).toEqual([false, false]);
});

test("a connection has ten seconds to say its handle, and a cell that said it has all day", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const silent = connect(path).on("error", () => undefined);
  await once(server, "connection");
  const handle = randomBytes(16);
  const said = connect(path).on("error", () => undefined);
  onTestFinished(() => void said.destroy());
  said.write(encodeHandle(handle));
  while (reports.count === 0) await new Promise(setImmediate);
  const closed = once(silent.resume(), "close");
  const isClosed = vi.fn();
  void closed.then(isClosed);
  await vi.advanceTimersByTimeAsync(9_999);
  await new Promise(setImmediate);
  expect(isClosed).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await closed;
  await vi.advanceTimersByTimeAsync(24 * 60 * 60_000);
  const asked = reports.of(handle);
  said.write(encodeEnded());
  expect(await asked).toEqual(FINISHED);
});

test("a cell that takes over a minute is not waited for", async () => {
  const { handle } = await cell();
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const asked = reports.of(handle);
  const isAnswered = vi.fn();
  void asked.then(isAnswered);
  await vi.advanceTimersByTimeAsync(59_999);
  expect(isAnswered).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(await asked).toEqual(UNSEEN);
});
