/** One device's connection between a fake WebSocket and a fake process. */
import { EventEmitter } from "node:events";
import { duplexPair } from "node:stream";
import { MESSAGE_1_BYTES } from "@phantoma/crypto";
import { CloseCode, MAX_QUEUE_WAIT_MS, MAX_SESSION_MS } from "@phantoma/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { WebSocket } from "ws";
import { FrameLink } from "../ipc/frames.ts";
import {
  encodeNumber,
  FromProcess,
  MAX_PROCESS_FRAME_BYTES,
  ToProcess,
} from "../ipc/process-link.ts";
import { DecodeGate } from "./decode-gate.ts";
import type { Pool } from "./pool.ts";
import { SingleUseProcess } from "./single-use-process.ts";
import type { TickClock } from "./tick-clock.ts";
import { Tunnel } from "./tunnel.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  isPaused = false;
  pings = 0;
  closedWith: number | undefined;
  wasTerminated = false;
  readonly sent: string[] = [];

  send(message: string | Buffer): void {
    this.sent.push(message.toString());
  }
  ping(): void {
    this.pings += 1;
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  close(code: number): void {
    if (this.readyState !== 1) return;
    this.closedWith = code;
    this.readyState = 2;
  }
  terminate(): void {
    if (this.readyState === 3) return;
    this.wasTerminated = true;
    this.readyState = 3;
    this.emit("close");
  }
  receives(message: string | Buffer): void {
    this.emit("message", Buffer.from(message), typeof message !== "string");
  }
}

function opened() {
  const socket = new FakeSocket();
  const pool = { join: vi.fn(), leave: vi.fn() };
  const clock = { add: vi.fn(), remove: vi.fn() };
  const onClosed = vi.fn();
  const gate = new DecodeGate(1);
  const tunnel = new Tunnel(
    {
      socket: socket as unknown as WebSocket,
      ticket: Buffer.from("ticket"),
      pool: pool as unknown as Pool,
      clock: clock as unknown as TickClock,
      gate,
    },
    onClosed,
  );
  return { socket, pool, clock, onClosed, gate, tunnel };
}

/** A tunnel with a process assigned; `said` is what the process was told, kind and text. */
async function assigned(before?: (socket: FakeSocket) => void) {
  const all = opened();
  before?.(all.socket);
  const [ours, theirs] = duplexPair();
  const said: string[] = [];
  const far = new FrameLink(theirs, MAX_PROCESS_FRAME_BYTES, ({ kind, body }) => {
    said.push(`${kind} ${body.toString()}`);
  });
  const process = new SingleUseProcess(ours, { model: new Uint8Array(32), threads: 0 }, () => {
    all.tunnel.serve(process);
  });
  const says = async (kind: number, body: Uint8Array | string = "") => {
    far.send(kind, Buffer.from(body));
    await settled();
  };
  await says(FromProcess.ready, encodeNumber(1));
  said.splice(0, 1);
  return { ...all, said, says, far, process, ours };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => process.nextTick(done));
}

const note = (value: object) => JSON.stringify(value);

describe("while it waits", () => {
  test("a device joins the queue and hears its place", () => {
    const { tunnel, pool, socket } = opened();
    expect(pool.join).toHaveBeenCalledExactlyOnceWith(tunnel);
    tunnel.moved(3);
    expect(socket.sent).toEqual([note({ note: "queued", position: 3 })]);
  });

  test("message 1 is kept and handed over, once, behind the ticket", async () => {
    const first = Buffer.alloc(MESSAGE_1_BYTES, "m");
    const { said, socket } = await assigned((device) => device.receives(first));
    expect(said).toEqual([`${ToProcess.assign} ticket`, `${ToProcess.data} ${first.toString()}`]);
    expect(socket.sent).toEqual([note({ note: "assigned" })]);
  });

  test.each([
    ["a second message", [Buffer.from("1"), Buffer.from("2")]],
    ["a message longer than message 1", [Buffer.alloc(MESSAGE_1_BYTES + 1)]],
  ])("%s is too much", (_name, messages) => {
    const { socket } = opened();
    for (const message of messages) socket.receives(message);
    expect(socket.closedWith).toBe(CloseCode.limit);
  });

  test("nobody waits longer than the longest wait", () => {
    const { socket } = opened();
    const alive = setInterval(() => socket.emit("pong"), 5_000);
    vi.advanceTimersByTime(MAX_QUEUE_WAIT_MS - 1);
    expect(socket.closedWith).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(socket.closedWith).toBe(CloseCode.busy);
    clearInterval(alive);
  });

  test.each([
    [undefined, CloseCode.died],
    [CloseCode.model, CloseCode.model],
  ])("a pool that fails with %s closes with %i", (code, told) => {
    const { tunnel, socket } = opened();
    tunnel.fail(code);
    expect(socket.closedWith).toBe(told);
  });
});

describe("bytes", () => {
  test("go both ways as they are", async () => {
    const { said, says, socket } = await assigned();
    socket.receives(Buffer.from("up"));
    await settled();
    expect(said.at(-1)).toBe(`${ToProcess.data} up`);
    await says(FromProcess.data, "down");
    expect(socket.sent.at(-1)).toBe("down");
  });

  test("of text from a device end the connection", async () => {
    const { said, socket, far } = await assigned();
    socket.receives("text");
    await far.closed;
    expect(socket.closedWith).toBe(CloseCode.limit);
    expect(said).toEqual([`${ToProcess.assign} ticket`]);
  });

  test("that a busy worker does not take make the device wait", async () => {
    const { socket, far, says } = await assigned();
    await says(FromProcess.data, "message 2");
    far.pause();
    const message = Buffer.alloc(65_535);
    for (let count = 0; count < 15; count += 1) socket.receives(message);
    expect(socket.isPaused).toBe(false);
    for (let count = 0; count < 3; count += 1) socket.receives(message);
    expect(socket.isPaused).toBe(true);
    far.resume();
    for (let turn = 0; turn < 50; turn += 1) await settled();
    expect(socket.isPaused).toBe(false);
  });
});

describe("before message 2", () => {
  test("a device says one thing, served or not", async () => {
    for (const { socket } of [opened(), await assigned()]) {
      socket.receives(Buffer.alloc(1216));
      expect(socket.closedWith).toBeUndefined();
      socket.receives(Buffer.alloc(64));
      expect(socket.closedWith).toBe(CloseCode.limit);
    }
  });

  test("and nothing longer than message 1", async () => {
    const { socket } = await assigned();
    socket.receives(Buffer.alloc(1217));
    expect(socket.closedWith).toBe(CloseCode.limit);
  });
});

describe("a steady answer", () => {
  const on = encodeNumber(1);
  const off = encodeNumber(0);

  test("is asked for and leaves on the tick, not before", async () => {
    const { tunnel, said, says, socket, clock } = await assigned();
    await says(FromProcess.pace, on);
    expect(clock.add).toHaveBeenCalledExactlyOnceWith(tunnel);
    tunnel.ask();
    await says(FromProcess.steady, "record");
    expect(said.at(-1)).toBe(`${ToProcess.ask} `);
    expect(socket.sent).not.toContain("record");
    tunnel.tick();
    expect(socket.sent.at(-1)).toBe("record");
    tunnel.tick();
    expect(socket.sent.filter((text) => text === "record")).toHaveLength(1);
  });

  test("that is late is counted, leaves on the next tick and is not asked for twice", async () => {
    const { tunnel, said, says, socket } = await assigned();
    await says(FromProcess.pace, on);
    tunnel.ask();
    tunnel.tick();
    expect(tunnel.late).toBe(1);
    tunnel.ask();
    await says(FromProcess.steady, "record");
    tunnel.ask();
    await settled();
    expect(said.filter((text) => text === `${ToProcess.ask} `)).toHaveLength(1);
    tunnel.tick();
    expect(socket.sent.at(-1)).toBe("record");
    expect(tunnel.late).toBe(1);
  });

  test("keeps its last record for the tick when it is over, then leaves the clock", async () => {
    const { tunnel, says, socket, clock } = await assigned();
    await says(FromProcess.pace, on);
    tunnel.ask();
    await says(FromProcess.steady, "last");
    await says(FromProcess.pace, off);
    expect(socket.sent).not.toContain("last");
    expect(clock.remove).not.toHaveBeenCalled();
    tunnel.tick();
    expect(socket.sent.at(-1)).toBe("last");
    expect(clock.remove).toHaveBeenCalledExactlyOnceWith(tunnel);
  });

  test("keeps its order when the worker ends the session between two ticks", async () => {
    const { tunnel, says, socket } = await assigned();
    await says(FromProcess.pace, on);
    tunnel.ask();
    await says(FromProcess.steady, "sealed first");
    await says(FromProcess.data, "sealed second");
    expect(socket.sent.slice(-2)).toEqual(["sealed first", "sealed second"]);
    tunnel.tick();
    expect(socket.sent.at(-1)).toBe("sealed second");
  });

  test("is not asked for when it is over", async () => {
    const { tunnel, said, says } = await assigned();
    await says(FromProcess.pace, on);
    await says(FromProcess.pace, off);
    tunnel.ask();
    await settled();
    expect(said).not.toContain(`${ToProcess.ask} `);
  });

  test("may meet an ask of the one before, and ends the connection with more records", async () => {
    const { says, socket } = await assigned();
    await says(FromProcess.pace, on);
    await says(FromProcess.steady, "crossed");
    await says(FromProcess.steady, "asked");
    expect(socket.closedWith).toBeUndefined();
    await says(FromProcess.steady, "too much");
    expect(socket.closedWith).toBe(CloseCode.died);
  });

  test("is not asked for while the client takes no bytes", async () => {
    const { tunnel, said, says, socket } = await assigned();
    await says(FromProcess.pace, on);
    socket.bufferedAmount = 1024 * 1024 + 1;
    tunnel.ask();
    await settled();
    expect(said).not.toContain(`${ToProcess.ask} `);
    socket.bufferedAmount -= 1;
    tunnel.ask();
    await settled();
    expect(said).toContain(`${ToProcess.ask} `);
  });
});

test("a worker that may compute is told so, the next one hears its place", async () => {
  const first = await assigned();
  const { gate, said, says } = first;
  const waits: number[] = [];
  const other = {
    go: () => void waits.push(0),
    waits: (position: number) => void waits.push(position),
  };
  await says(FromProcess.turn, encodeNumber(1));
  expect(said.at(-1)).toBe(`${ToProcess.go} `);
  gate.wants(other);
  await says(FromProcess.turn, encodeNumber(0));
  expect(waits).toEqual([1, 0]);
  await says(FromProcess.turn, encodeNumber(1));
  expect(first.socket.sent.at(-1)).toBe(note({ note: "queued", position: 1 }));
});

test.each([
  ["of an unknown kind", 99, ""],
  ["that says ready again", FromProcess.ready, encodeNumber(1)],
  ["of a number that is none", FromProcess.turn, "x"],
])("a process is cut off after a frame %s", async (_name, kind, body) => {
  const { says, socket, far } = await assigned();
  await says(kind, body);
  expect([far.isOpen, socket.closedWith]).toEqual([false, CloseCode.died]);
});

describe("the end", () => {
  test("is the process's own word, after what it sent", async () => {
    const { says, far, socket } = await assigned();
    await says(FromProcess.data, "last");
    await says(FromProcess.bye, encodeNumber(CloseCode.timeout));
    await far.finish();
    await settled();
    expect([socket.sent.at(-1), socket.closedWith]).toEqual(["last", CloseCode.timeout]);
  });

  test("without a word is a death", async () => {
    const { far, socket } = await assigned();
    far.close();
    await settled();
    expect(socket.closedWith).toBe(CloseCode.died);
  });

  test("by revocation closes the process at once and the device with its code", async () => {
    const { tunnel, far, socket } = await assigned();
    tunnel.close(CloseCode.revoked);
    await far.closed;
    expect(socket.closedWith).toBe(CloseCode.revoked);
    await settled();
    expect(socket.wasTerminated).toBe(false);
    vi.advanceTimersByTime(1_000);
    expect(socket.wasTerminated).toBe(true);
  });

  test("by the device releases everything and leaves no timer", async () => {
    const { tunnel, far, socket, pool, clock, onClosed } = await assigned();
    socket.terminate();
    await far.closed;
    await settled();
    expect(pool.leave).toHaveBeenCalledWith(tunnel);
    expect(clock.remove).toHaveBeenCalledWith(tunnel);
    expect(onClosed).toHaveBeenCalledExactlyOnceWith(tunnel);
    vi.advanceTimersByTime(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("comes after the longest session", async () => {
    const { socket } = await assigned();
    const alive = setInterval(() => socket.emit("pong"), 5_000);
    vi.advanceTimersByTime(MAX_SESSION_MS - 1);
    expect(socket.closedWith).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(socket.closedWith).toBe(CloseCode.timeout);
    clearInterval(alive);
  });
});

describe("a client", () => {
  test("that does not answer a ping is dropped, one that does or speaks is not", () => {
    const { socket } = opened();
    vi.advanceTimersByTime(15_000);
    expect(socket.pings).toBe(1);
    socket.emit("pong");
    vi.advanceTimersByTime(15_000);
    socket.receives(Buffer.from("1"));
    vi.advanceTimersByTime(15_000);
    expect([socket.pings, socket.wasTerminated]).toEqual([3, false]);
    vi.advanceTimersByTime(15_000);
    expect(socket.wasTerminated).toBe(true);
  });

  test("that takes no bytes holds its worker back, for 30 s", async () => {
    const { socket, says, ours } = await assigned();
    socket.bufferedAmount = 1024 * 1024 + 1;
    await says(FromProcess.data, "down");
    expect(ours.isPaused()).toBe(true);
    const alive = setInterval(() => socket.emit("pong"), 5_000);
    vi.advanceTimersByTime(30_000);
    expect(socket.wasTerminated).toBe(false);
    vi.advanceTimersByTime(100);
    expect(socket.wasTerminated).toBe(true);
    clearInterval(alive);
  });

  test("that takes them again in time gets the rest", async () => {
    const { socket, says, ours } = await assigned();
    socket.bufferedAmount = 1024 * 1024 + 1;
    await says(FromProcess.data, "first");
    await says(FromProcess.data, "second");
    expect(socket.sent).not.toContain("second");
    socket.bufferedAmount = 0;
    vi.advanceTimersByTime(20);
    await settled();
    expect([socket.sent.at(-1), ours.isPaused()]).toEqual(["second", false]);
  });
});
