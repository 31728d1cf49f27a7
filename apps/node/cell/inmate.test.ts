/** What the cell's child cannot do, tried from inside a whole cell, and outside of one as a control. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { buildCellTests } from "../../../tests/post-mortem.ts";
import { temporaryDir } from "../test-node.ts";

const NOBODY = 65534;

describe("a worker that was taken over", () => {
  let programs: string;
  beforeAll(() => void (programs = buildCellTests()), 60_000);

  /** What it said of each call; it runs in a folder of its user's, with a file. */
  async function run(act: string[], around: string[] = []): Promise<string[]> {
    const cwd = temporaryDir();
    writeFileSync(join(cwd, "file"), "");
    // As in a unit: root's cell has rights that its worker has not, and the kernel itself refuses more.
    const nobody = process.getuid?.() === 0 && { uid: NOBODY, gid: NOBODY };
    if (nobody) for (const path of [cwd, join(cwd, "file")]) chownSync(path, NOBODY, NOBODY);
    // Not its whole path, which leads through folders of others.
    const [program, ...args] = [...around, join(programs, "inmate"), ...act, "file"];
    const child = spawn(program, args, {
      stdio: ["ignore", "ignore", "inherit", "pipe", "pipe"],
      cwd,
      ...nobody,
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const exited = once(child, "exit");
    const lines: string[] = [];
    for await (const line of createInterface(child.stdio[3] as Readable)) lines.push(line);
    expect(await exited).toEqual([0, null]);
    return lines;
  }

  const inCell = async (...act: string[]) => run(act, [join(programs, "cell"), "fd:4", "-"]);

  test("can do nothing to its cell, however it writes the numbers, and its own work to itself", async () => {
    const lines = await inCell();
    expect(lines.length).toBe(30);
    expect(lines.filter((line) => !line.endsWith(": EPERM"))).toEqual([
      "own flags: done",
      "own bytes to read: done",
      "own affinity: done",
      "own priority: done",
      "own limits: done",
      "internet socket: done",
    ]);
  });

  test("can leave no word behind: in no queue, no file, no name and nothing beside a file", async () => {
    const lines = await inCell("leave");
    expect(lines.length).toBe(71);
    expect(lines.filter((line) => !line.endsWith(": EPERM"))).toEqual([
      "a call of another interface: ENOSYS",
      "a call that is newer than the cell: ENOSYS",
    ]);
  });

  test("could do both without a cell, so the refusal is the cell's", async () => {
    const handedOut = await run(["hand-out"]);
    expect(handedOut).toContain("its memory to the gateway: done");
    expect(handedOut).toContain("its memory to the gateway, of several: done");
    const left = await run(["leave"]);
    // Not every kernel and file system has all of them.
    expect(left.filter((line) => !/: (done|ENOSYS|ENOTTY|EOPNOTSUPP)$/.test(line))).toEqual([]);
    expect(left.filter((line) => line.endsWith(": done")).length).toBeGreaterThan(50);
  });
});
