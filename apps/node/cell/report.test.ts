/** A real cell around a real program, and a keeper that only listens: what is said to whom, and when. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { noPostMortem } from "../../../tests/post-mortem.ts";
import { ChildStarter } from "../gateway/starter.ts";
import { FrameDecoder, type Frame } from "../ipc/frames.ts";
import {
  CELL_ENDED_BYTES,
  CELL_HANDLE_BYTES,
  CELL_HANDLE_KIND,
  cellEndings,
  CellReport,
} from "../ipc/keeper-link.ts";
import { temporaryDir } from "../test-node.ts";
import { findCell } from "./cell-command.ts";
import { memoryGroup } from "./test-memory-group.ts";

describe.skipIf(noPostMortem())("a cell", () => {
  let cell: string;
  let dir: string;
  let keeper: Listener;
  let reports: Listener;

  beforeAll(() => {
    const found = findCell();
    if (!("cell" in found)) throw new Error(found.why);
    ({ cell } = found);
  }, 60_000);

  beforeEach(async () => {
    dir = temporaryDir();
    keeper = await Listener.on(join(dir, "keeper.sock"));
    reports = await Listener.on(join(dir, "reports.sock"));
  });

  /** @param program JavaScript; `gateway` is its connection to the gateway */
  async function start(program: string): Promise<Duplex> {
    const entry = join(dir, "program.mjs");
    writeFileSync(
      entry,
      `import { Socket } from "node:net";
       const gateway = new Socket({ fd: 3 });
       const say = (text) => new Promise((resolve) => gateway.write(text + "\\n", resolve));
       ${program}`,
    );
    const sockets = { keeperSocket: keeper.path, reportSocket: reports.path };
    const starter = new ChildStarter({ entry, args: [], cell, ...sockets });
    onTestFinished(() => starter.stop());
    return starter.start();
  }

  /** What the program said to its gateway until it ended. */
  async function saidBy(connection: Duplex): Promise<string> {
    let said = "";
    for await (const chunk of connection) said += String(chunk);
    return said;
  }

  test("says one number on its child's channel and on its own, and another each time", async () => {
    const handles = new Set<string>();
    for (let run = 0; run < 2; run += 1) {
      const connection = await start("process.exit(0)");
      await saidBy(connection);
      const [childs] = await keeper.next();
      const [own] = await reports.next();
      expect(childs).toMatchObject({ kind: CELL_HANDLE_KIND });
      expect(own).toMatchObject({ kind: CellReport.handle });
      expect(childs!.body).toHaveLength(CELL_HANDLE_BYTES);
      expect(own!.body).toEqual(childs!.body);
      handles.add(childs!.body.toString("hex"));
    }
    expect(handles.size).toBe(2);
  });

  test.each([
    ["finished", "process.exit(0)"],
    ["timeout", "process.exit(64)"],
    ["disconnected", "process.exit(65)"],
    ["crashed", "process.exit(1)"],
    ["crashed", "process.abort()"],
    ["killed", 'process.kill(process.pid, "SIGKILL")'],
    ["killed", 'process.kill(process.pid, "SIGTERM")'],
  ])("reports %s after %s", async (ending, program) => {
    const before = Date.now();
    await saidBy(await start(program));
    const [, ended] = await reports.next();
    expect(ended).toMatchObject({ kind: CellReport.ended });
    expect(ended!.body).toHaveLength(CELL_ENDED_BYTES);
    expect(cellEndings[ended!.body[0]! - 1]).toBe(ending);
    // Node's own heap alone is more; nothing stayed that should have been overwritten.
    expect(ended!.body.readBigUInt64BE(1)).toBeGreaterThan(1_000_000n);
    expect(ended!.body.readBigUInt64BE(9)).toBe(0n);
    expect(Number(ended!.body.readBigUInt64BE(17))).toBeGreaterThanOrEqual(before);
  });

  test("reports memory also where the group that had none is not the one it sees", async (context) => {
    const group = memoryGroup();
    if (!group) return context.skip();
    const connection = await start(`
      await say(String(process.pid));
      gateway.once("data", () => { for (const all = [];;) all.push(Buffer.alloc(1 << 20, 1)); });
    `);
    const [pid] = (await once(connection, "data")) as [Buffer];
    writeFileSync(join(group, "cgroup.procs"), String(pid).trim());
    connection.write(".");
    const [, ended] = await reports.next();
    expect(cellEndings[ended!.body[0]! - 1]).toBe("memory");
  });

  test("ends a program that stays after its gateway has hung up, and not a moment early", async () => {
    const connection = await start('await say("here"); setInterval(() => undefined, 1000);');
    await new Promise((resolve) => connection.once("data", resolve));
    // Longer than the grace: it begins when the gateway hangs up, whenever that is.
    await sleep(3_500);
    const hungUpAt = Date.now();
    connection.destroy();
    const [, ended] = await reports.next();
    expect(Date.now() - hungUpAt).toBeGreaterThanOrEqual(2_900);
    expect(cellEndings[ended!.body[0]! - 1]).toBe("disconnected");
  });

  test("makes its own connections where PID 1 gives it the gateway's as descriptor 0", async () => {
    const run = async (program: string) => {
      const sockets = [keeper.path, reports.path];
      const child = spawn(cell, [...sockets, program], { stdio: ["pipe", "ignore", "ignore"] });
      const [status] = await once(child, "exit");
      return { status, frames: await reports.next() };
    };
    const { status, frames } = await run("/bin/true");
    expect(status).toBe(0);
    expect(cellEndings[frames[1]!.body[0]! - 1]).toBe("finished");
    // What never ran has nothing to report; why it did not is the cell's own status.
    const { status: why, frames: handle } = await run("/nonexistent");
    expect(why).toBe(70);
    expect(handle).toMatchObject([{ kind: CellReport.handle }]);
  });

  test("has a child that can reach neither it, nor a socket, nor another program", async () => {
    const connection = await start(`
      import { spawnSync } from "node:child_process";
      import { openSync, readlinkSync } from "node:fs";
      import { connect } from "node:net";
      const code = (run) => { try { run(); return "done"; } catch (error) { return error.code; } };
      await say("signal " + code(() => process.kill(process.ppid, 0)));
      await say("memory " + code(() => openSync("/proc/" + process.ppid + "/mem")));
      await say("descriptors " + code(() => readlinkSync("/proc/" + process.ppid + "/fd/0")));
      await say("program " + spawnSync("/bin/true").error?.code);
      const socket = connect(${JSON.stringify(reports.path)});
      socket.once("error", async (error) => { await say("socket " + error.code); process.exit(0); });
      socket.once("connect", async () => { await say("socket done"); process.exit(0); });
    `);
    const said = (await saidBy(connection)).trim().split("\n");
    expect(said).toEqual([
      "signal EPERM",
      "memory EACCES",
      "descriptors EACCES",
      "program EPERM",
      "socket EPERM",
    ]);
  });
});

/** Takes connections, and gives all frames of each when it has ended. */
class Listener {
  readonly path: string;
  readonly #ended: Promise<Frame[]>[] = [];
  readonly #arrivals: ((frames: Promise<Frame[]>) => void)[] = [];

  static async on(path: string): Promise<Listener> {
    const listener = new Listener(path);
    const server = createServer((socket) => listener.#take(socket));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => void server.close());
    return listener;
  }

  private constructor(path: string) {
    this.path = path;
  }

  next(): Promise<Frame[]> {
    return this.#ended.shift() ?? new Promise((resolve) => this.#arrivals.push(resolve));
  }

  #take(socket: Socket): void {
    const decoder = new FrameDecoder(1024);
    const frames: Frame[] = [];
    const ended = new Promise<Frame[]>((resolve) => {
      socket.on("data", (chunk) => frames.push(...decoder.push(chunk)));
      socket.once("close", () => resolve(frames));
      socket.on("error", () => undefined);
    });
    const arrival = this.#arrivals.shift();
    if (arrival) arrival(ended);
    else this.#ended.push(ended);
  }
}
