/** A warm pool over a fake starter: how many are kept, who is served when, and what failure does. */
import { duplexPair, type Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FrameLink } from "../ipc/frames.ts";
import {
  decodeWarm,
  encodeNumber,
  FromProcess,
  MAX_PROCESS_FRAME_BYTES,
  ToProcess,
  type WarmOrder,
} from "../ipc/process-link.ts";
import { LiveBudget } from "./live-budget.ts";
import { Pool, type Waiter } from "./pool.ts";
import type { SingleUseProcess } from "./single-use-process.ts";
import type { Starter } from "./starter.ts";

const MODEL = new Uint8Array(32).fill(3);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The far end of a process: says what a worker would, when the test wants it. */
class FakeProcess {
  readonly link: FrameLink;
  order: WarmOrder | undefined;
  tickets: string[] = [];

  constructor(socket: Duplex) {
    this.link = new FrameLink(socket, MAX_PROCESS_FRAME_BYTES, ({ kind, body }) => {
      if (kind === ToProcess.warm) this.order = decodeWarm(body);
      if (kind === ToProcess.assign) this.tickets.push(body.toString());
    });
  }

  async ready(threads = 2): Promise<void> {
    this.link.send(FromProcess.ready, encodeNumber(threads));
    await settled();
  }

  async end(code?: number): Promise<void> {
    if (code !== undefined) this.link.send(FromProcess.bye, encodeNumber(code));
    await this.link.finish();
    await settled();
  }
}

class FakeStarter implements Starter {
  readonly processes: FakeProcess[] = [];
  isBroken = false;
  attempts = 0;

  async start(): Promise<Duplex> {
    this.attempts += 1;
    if (this.isBroken) throw new Error("no process can be made");
    const [ours, theirs] = duplexPair();
    this.processes.push(new FakeProcess(theirs));
    return ours;
  }

  at(index: number): FakeProcess {
    return this.processes.at(index)!;
  }
}

class FakeWaiter implements Waiter {
  readonly told: string[] = [];
  process: SingleUseProcess | undefined;

  serve(process: SingleUseProcess): void {
    this.process = process;
    this.told.push("served");
    process.assign(Buffer.from("ticket"), () => undefined);
  }

  moved(position: number): void {
    this.told.push(`position ${position}`);
  }

  fail(closeCode: number | undefined): void {
    this.told.push(`failed ${closeCode}`);
  }
}

/** Lets streams and promises run dry; time stands still. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => process.nextTick(done));
}

async function poolOf(
  options: { warm?: number; maxLive?: number; maxWaiting?: number; budget?: LiveBudget } = {},
) {
  const starter = new FakeStarter();
  const { warm = 2, maxLive = 4, maxWaiting = 3, budget = new LiveBudget(maxLive) } = options;
  const log = () => undefined;
  const pool = new Pool({ warm, budget, maxWaiting, starter, model: MODEL, log });
  await settled();
  return { pool, starter };
}

function joined(pool: Pool): FakeWaiter {
  const waiter = new FakeWaiter();
  pool.join(waiter);
  return waiter;
}

describe("warm processes", () => {
  test("are started ahead of demand, each told its model", async () => {
    const { pool, starter } = await poolOf();
    expect(starter.processes).toHaveLength(2);
    expect(starter.at(0).order).toEqual({ model: MODEL, threads: 0 });
    expect(pool.warmCount).toBe(0);
    for (const one of starter.processes) await one.ready();
    expect(pool.warmCount).toBe(2);
    expect(starter.processes).toHaveLength(2);
  });

  test("are told how many threads the last one found best", async () => {
    const { pool, starter } = await poolOf({ warm: 1 });
    await starter.at(0).ready(7);
    joined(pool);
    await settled();
    expect(starter.at(1).order).toEqual({ model: MODEL, threads: 7 });
  });

  test("are replaced at once when one is used, and used once", async () => {
    const { pool, starter } = await poolOf({ warm: 1 });
    await starter.at(0).ready();
    const first = joined(pool);
    await settled();
    expect(first.told).toEqual(["served"]);
    expect(starter.processes).toHaveLength(2);
    const second = joined(pool);
    await starter.at(1).ready();
    expect(second.told.at(-1)).toBe("served");
    expect(starter.processes.slice(0, 2).map(({ tickets }) => tickets.length)).toEqual([1, 1]);
  });

  test("that die are not handed out", async () => {
    const { pool, starter } = await poolOf({ warm: 1 });
    await starter.at(0).ready();
    await starter.at(0).end();
    expect(pool.warmCount).toBe(0);
    expect(joined(pool).told).toEqual(["position 1"]);
  });

  test("that say anything before they are assigned but that they are ready are closed", async () => {
    const { pool, starter } = await poolOf({ warm: 1 });
    await starter.at(0).ready();
    await starter.at(0).ready();
    expect([starter.at(0).link.isOpen, pool.warmCount]).toEqual([false, 0]);
  });
});

describe("who waits", () => {
  test("is told its place, and served in order", async () => {
    const { pool, starter } = await poolOf({ warm: 1 });
    const waiters = [joined(pool), joined(pool), joined(pool)];
    expect(waiters.map(({ told }) => told)).toEqual([
      ["position 1"],
      ["position 2"],
      ["position 3"],
    ]);
    await starter.at(0).ready();
    expect(waiters.map(({ told }) => told.at(-1))).toEqual(["served", "position 1", "position 2"]);
    await starter.at(1).ready();
    expect(waiters.map(({ told }) => told.at(-1))).toEqual(["served", "served", "position 1"]);
  });

  test("may leave, and those behind move up", async () => {
    const { pool, starter } = await poolOf({ warm: 1 });
    const [first, second, third] = [joined(pool), joined(pool), joined(pool)];
    pool.leave(second);
    pool.leave(second);
    expect([first.told, third.told]).toEqual([["position 1"], ["position 3", "position 2"]]);
    await starter.at(0).ready();
    await starter.at(1).ready();
    expect([second.told, third.told.at(-1)]).toEqual([["position 2"], "served"]);
  });

  test("fills the pool at its limit, and one who leaves makes room", async () => {
    const { pool } = await poolOf({ maxWaiting: 2 });
    joined(pool);
    expect(pool.isFull).toBe(false);
    const last = joined(pool);
    expect(pool.isFull).toBe(true);
    pool.leave(last);
    expect(pool.isFull).toBe(false);
  });
});

test("no more than the limit live at once, however many wait, and an end makes room", async () => {
  const { pool, starter } = await poolOf({ warm: 2, maxLive: 3, maxWaiting: 10 });
  const waiters = Array.from({ length: 5 }, () => joined(pool));
  for (let index = 0; index < 3; index += 1) {
    await settled();
    await starter.at(index).ready();
  }
  expect(starter.processes).toHaveLength(3);
  expect(waiters.map(({ told }) => told.at(-1))).toEqual([
    "served",
    "served",
    "served",
    "position 1",
    "position 2",
  ]);
  await starter.at(0).end();
  expect(starter.processes).toHaveLength(4);
  await starter.at(3).ready();
  expect(waiters[3]!.told.at(-1)).toBe("served");
});

describe("processes that cannot start", () => {
  test("are tried again after 100 ms, then twice as long, up to 10 s", async () => {
    const { starter } = await poolOf({ warm: 1 });
    starter.isBroken = true;
    await starter.at(0).end();
    for (const delay of [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]) {
      const before = starter.attempts;
      await vi.advanceTimersByTimeAsync(delay - 1);
      expect(starter.attempts).toBe(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(starter.attempts).toBe(before + 1);
    }
  });

  test("are reported to those who wait after the third time, with the reason they gave", async () => {
    const { pool, starter } = await poolOf({ warm: 1 });
    const waiter = joined(pool);
    for (let count = 0; count < 3; count += 1) {
      expect(waiter.told).toEqual(["position 1"]);
      await starter.at(-1).end(4007);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(waiter.told).toEqual(["position 1", "failed 4007"]);
    expect(pool.isFull).toBe(false);
  });

  test("are forgotten once one is warm", async () => {
    const { starter, pool } = await poolOf({ warm: 1 });
    await starter.at(0).end();
    await vi.advanceTimersByTimeAsync(100);
    await starter.at(1).ready();
    const waiter = joined(pool);
    expect(waiter.told).toEqual(["served"]);
    await settled();
    const before = starter.attempts;
    await starter.at(-1).end();
    await vi.advanceTimersByTimeAsync(100);
    expect(starter.attempts).toBe(before + 1);
  });

  test("are not counted when a used one ends", async () => {
    const { pool, starter } = await poolOf({ warm: 1, maxLive: 1 });
    await starter.at(0).ready();
    joined(pool);
    const next = joined(pool);
    await starter.at(0).end(1000);
    expect(starter.attempts).toBe(2);
    expect(next.told).toEqual(["position 1"]);
  });
});

test("a stopped pool closes what lives and starts nothing more", async () => {
  const { pool, starter } = await poolOf();
  await starter.at(0).ready();
  pool.stop();
  await settled();
  expect(starter.processes.map(({ link }) => link.isOpen)).toEqual([false, false]);
  joined(pool);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(starter.attempts).toBe(2);
});

test("a process that was being started when the pool stopped is closed", async () => {
  const starter = new FakeStarter();
  const limits = { warm: 1, budget: new LiveBudget(1), maxWaiting: 1 };
  const pool = new Pool({ ...limits, starter, model: MODEL, log: () => undefined });
  pool.stop();
  await settled();
  expect(starter.at(0).link.isOpen).toBe(false);
});

describe("two models that share the machine", () => {
  test("together have no more workers than it has room for", async () => {
    const budget = new LiveBudget(3);
    const first = await poolOf({ warm: 2, budget });
    const second = await poolOf({ warm: 2, budget });
    expect([first.starter.attempts, second.starter.attempts]).toEqual([2, 1]);
  });

  test("give way: one that nobody waits for ends a warm worker for one that somebody wants", async () => {
    const budget = new LiveBudget(1);
    const idle = await poolOf({ warm: 1, budget });
    await idle.starter.at(0).ready();
    const wanted = await poolOf({ warm: 1, budget });
    expect(wanted.starter.attempts).toBe(0);
    const waiter = joined(wanted.pool);
    await settled();
    expect(idle.starter.at(0).link.isOpen).toBe(false);
    expect(wanted.starter.attempts).toBe(1);
    await wanted.starter.at(0).ready();
    expect(waiter.told.at(-1)).toBe("served");
    await wanted.starter.at(0).end(1000);
    expect(idle.starter.attempts).toBe(2);
  });

  test("do not take a worker that serves", async () => {
    const budget = new LiveBudget(1);
    const busy = await poolOf({ warm: 1, budget });
    await busy.starter.at(0).ready();
    joined(busy.pool);
    const other = await poolOf({ warm: 1, budget });
    joined(other.pool);
    await settled();
    expect(busy.starter.at(0).link.isOpen).toBe(true);
    expect(other.starter.attempts).toBe(0);
  });
});
