/**
 * The cell with real processes: what it overwrites, and how it ends.
 *
 * `tests/hold.c` is the cell without its set-up, and, linked without wipe.c, the control.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  buildCellTests,
  noPostMortem,
  PostMortem,
  type Residue,
  WORD_BYTES,
} from "../../../tests/post-mortem.ts";
import { temporaryDir } from "../test-node.ts";
import { memoryGroup } from "./test-memory-group.ts";

/** Every place of tests/victim.c. */
const PLACES = "data bss heap mmap huge readonly hidden copied stack thread".split(" ");

/** Of a file that it read. */
const WIPED = { left: 0, places: { weights: 1 } };

interface Held {
  readonly cell: ChildProcess;
  readonly pid: number;
  /** Lets the victim end; gives what it left and what the cell said of it. */
  finish(act?: () => void): Promise<{ residue: Omit<Residue, "looked">; end: End; said: string[] }>;
}

interface End {
  readonly status: number;
  readonly by: number;
  readonly wasAnchorKilled: boolean;
  readonly wasWiped: boolean;
  readonly bytes: number;
  readonly missed: number;
  readonly swapped: number;
}

describe.skipIf(noPostMortem())("what a program leaves", () => {
  let programs: string;
  beforeAll(() => void (programs = buildCellTests()), 60_000);

  async function hold(ending: string, cellName = "hold"): Promise<Held> {
    const word = randomBytes(WORD_BYTES / 2).toString("hex");
    const weights = join(temporaryDir(), "weights");
    writeFileSync(weights, `${word}-weights;`.padEnd(8192));
    const cell = spawn(join(programs, cellName), [join(programs, "victim"), ending, weights], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    onTestFinished(() => void cell.kill("SIGKILL"));
    cell.stdin.write(word);
    const lines = createInterface(cell.stdout)[Symbol.asyncIterator]();
    const pid = Number(String((await lines.next()).value).split(" ")[1]);
    const memory = await PostMortem.hold(pid, word);
    const exited = once(cell, "exit");
    return {
      cell,
      pid,
      async finish(act) {
        cell.stdin.write(".");
        if (act) await sleep(100);
        act?.();
        const said: string[] = [];
        for await (const line of lines) said.push(line);
        await exited;
        const { places, left } = await memory.look();
        const end = JSON.parse(said.pop() ?? "null") as End;
        return { residue: { places, left }, end, said };
      },
    };
  }

  test("without the overwriting is found in every place, so that a search can fail", async () => {
    const { residue } = await (await hold("exit", "hold-without-wipe")).finish();
    expect(Object.keys(residue.places)).toEqual(expect.arrayContaining([...PLACES, "weights"]));
  });

  test.each([
    ["it returns", "exit", 0],
    ["it aborts", "abort", 6],
    ["it touches address 0", "segv", 11],
    ["it kills itself", "kill", 9],
    ["its first thread leaves before the last", "first-thread-leaves", 0],
    ["its threads leave one by one", "threads-leave-one-by-one", 0],
    ["it made a thousand short threads", "many-threads", 0],
  ])("is overwritten when %s, and its weights are not", async (_how, ending, status) => {
    const { residue, end } = await (await hold(ending)).finish();
    expect(residue).toEqual(WIPED);
    expect(end).toMatchObject({ status, by: 0, wasWiped: true, missed: 0, swapped: 0 });
    // Two of 4 MiB, and twelve of 256 KiB.
    expect(end.bytes).toBeGreaterThan(10e6);
  });

  test.each([
    ["in shared memory, though no page of it has an address", "shared", 64 * 4096],
    ["in a device's memory", "device", 4096],
  ])("is counted as missed where it is %s", async (_where, ending, atLeast) => {
    const { residue, end } = await (await hold(ending)).finish();
    expect(end).toMatchObject({ status: 0, wasWiped: true });
    expect(end.missed).toBeGreaterThanOrEqual(atLeast);
    // The rest of it is overwritten all the same.
    const elsewhere = Object.keys(residue.places).filter((place) => place !== "shared");
    expect(elsewhere).toEqual(["weights"]);
  });

  test("is overwritten when somebody kills it, also while it is stopped", async () => {
    const waiting = await hold("wait");
    const killed = await waiting.finish(() => process.kill(waiting.pid, "SIGKILL"));
    const end = { status: 9, by: 0, wasAnchorKilled: false };
    expect(killed).toMatchObject({ residue: WIPED, end });
    const stopped = await hold("stop");
    const { residue } = await stopped.finish(() => process.kill(stopped.pid, "SIGKILL"));
    expect(residue).toEqual(WIPED);
  });

  test("is overwritten when the cell is told to end it", async () => {
    const held = await hold("wait");
    const { residue, end } = await held.finish(() => held.cell.kill("SIGTERM"));
    expect(residue).toEqual(WIPED);
    expect(end).toMatchObject({ status: 9, by: 1, wasWiped: true });
  });

  test("is overwritten when the kernel kills it for want of memory", async (context) => {
    const group = memoryGroup();
    if (!group) return context.skip();
    const held = await hold("memory");
    writeFileSync(join(group, "cgroup.procs"), String(held.pid));
    const { residue, end } = await held.finish();
    const known = { wasAnchorKilled: true, wasWiped: true, missed: 0 };
    expect(end).toMatchObject({ status: 9, by: 0, ...known });
    expect(residue).toEqual(WIPED);
  });

  test("is reported as well when the kernel took its memory before the cell could", async (context) => {
    const group = memoryGroup();
    if (!group) return context.skip();
    const held = await hold("memory-of-its-own");
    writeFileSync(join(group, "cgroup.procs"), String(held.pid));
    const cell = cellOf(held);
    const [anchor] = familyOf(cell).filter((pid) => pid !== cell && pid !== held.pid);
    process.kill(cell, "SIGSTOP");
    const finished = held.finish();
    // Of those whom it ends for want of memory the kernel takes it two seconds later, wherever they stand.
    await expect.poll(() => anonymousBytes(anchor!)).toBe(0);
    process.kill(cell, "SIGCONT");
    const { end } = await finished;
    expect(end).toMatchObject({ status: 9, wasAnchorKilled: true, wasWiped: true, missed: 0 });
  });

  test("goes on after SIGSTOP and SIGCONT as without a cell", async () => {
    const held = await hold("stop");
    const { end } = await held.finish(() => process.kill(held.pid, "SIGCONT"));
    expect(end).toMatchObject({ status: 0, by: 0, wasWiped: true });
  });

  test("is overwritten by the cell when its guard is killed", async () => {
    const held = await hold("wait");
    const all = familyOf(held.cell.pid!);
    const { residue, end } = await held.finish(() => held.cell.kill("SIGKILL"));
    expect(end).toMatchObject({ status: 9, by: 1, wasWiped: true, missed: 0 });
    expect(residue).toEqual(WIPED);
    await expect.poll(() => all.filter(isAlive)).toEqual([]);
  });

  test("is overwritten by the guard when its cell is killed", async () => {
    const held = await hold("wait");
    const all = familyOf(held.cell.pid!);
    const { residue, end } = await held.finish(() => process.kill(cellOf(held), "SIGKILL"));
    expect(end).toMatchObject({ status: 9, by: 1, wasWiped: true, missed: 0 });
    expect(residue).toEqual(WIPED);
    await expect.poll(() => all.filter(isAlive)).toEqual([]);
  });

  test("is overwritten when the cell is killed as its program ends, whoever is first", async () => {
    for (let run = 0; run < 20; run += 1) {
      const held = await hold("wait");
      const all = familyOf(held.cell.pid!);
      const cell = cellOf(held);
      const { residue } = await held.finish(() => {
        process.kill(held.pid, "SIGKILL");
        const late = performance.now() + run / 4;
        while (performance.now() < late);
        killIfAlive(cell);
      });
      expect(residue).toEqual(WIPED);
      await expect.poll(() => all.filter(isAlive)).toEqual([]);
    }
  });

  test("is not overwritten when cell and guard are killed together, but nothing outlives them", async () => {
    const held = await hold("wait");
    const all = familyOf(held.cell.pid!);
    expect(all.length).toBe(5);
    const { residue } = await held.finish(() => {
      const cell = cellOf(held);
      for (const pid of [held.cell.pid!, cell]) process.kill(pid, "SIGSTOP");
      for (const pid of [held.cell.pid!, cell]) process.kill(pid, "SIGKILL");
    });
    expect(Object.keys(residue.places)).toEqual(expect.arrayContaining(PLACES));
    expect(residue.left).toBeGreaterThan(10_000);
    await expect.poll(() => all.filter(isAlive)).toEqual([]);
  });

  test("is one process only: it can neither fork nor execute another program", async () => {
    expect((await (await hold("fork")).finish()).said).toEqual([]);
    expect((await (await hold("exec")).finish()).residue).toEqual(WIPED);
  });

  test("after a thousand programs is nothing: no process and no descriptor", async () => {
    const before = leftovers();
    for (let run = 0; run < 1000; run += 1) {
      const { status, stdout } = spawnSync(join(programs, "hold"), ["/bin/true"]);
      if (status !== 0 || !String(stdout).includes('"wasWiped":true')) throw new Error("not wiped");
    }
    expect(leftovers()).toEqual(before);
  }, 120_000);
});

/** Of ours: children of this process, and its descriptors. */
function leftovers() {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "ascii");
  return { children, descriptors: readdirSync("/proc/self/fd").length };
}

/** The guard's child; the program's parent. */
function cellOf({ pid }: Held): number {
  return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))![1]);
}

/** A guard, its cell, and what that made: the program and two anchors. */
function familyOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "ascii").trim();
  return [pid, ...children.split(" ").filter(Boolean).map(Number).flatMap(familyOf)];
}

/** A process that ended and whose parent has not looked yet has no memory any more. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

function anonymousBytes(pid: number): number {
  return 1024 * Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))![1]);
}

/** It may end between any look at it and the signal. */
function killIfAlive(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
