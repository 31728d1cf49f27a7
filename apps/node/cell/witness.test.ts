/** The way to the warden that a cell gives its child: one word, and no waiting where nobody listens. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { noPostMortem } from "../../../tests/post-mortem.ts";
import { connectPaused } from "../gateway/starter.ts";
import { temporaryDir } from "../test-node.ts";
import { findCell, inCell } from "./cell-command.ts";

/** Says what descriptor 5 is, and whether a word can be written there. */
const PROGRAM = `
  const fs = require("node:fs");
  const where = (() => { try { return fs.readlinkSync("/proc/self/fd/5"); } catch { return "closed"; } })();
  const said = (() => { try { return fs.writeSync(5, Buffer.alloc(32)); } catch (error) { return error.code; } })();
  fs.writeSync(3, JSON.stringify({ where, said }));
`;

describe.skipIf(noPostMortem())("a cell", () => {
  let cell: string;
  beforeAll(() => {
    const found = findCell();
    if (!("cell" in found)) throw new Error(found.why);
    ({ cell } = found);
  }, 60_000);

  async function run(witness: string | undefined) {
    const keeperPath = join(temporaryDir(), "keeper.sock");
    const server = createServer((socket) => socket.resume()).listen(keeperPath);
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const keeper = await connectPaused(keeperPath);
    const program = [process.execPath, "-e", PROGRAM];
    const [file, ...args] = inCell(cell, false, program, witness);
    const child = spawn(file, args, {
      stdio: ["ignore", "ignore", "ignore", "pipe", keeper],
      env: {},
    });
    keeper.destroy();
    let said = "";
    for await (const chunk of child.stdio[3] as Readable) said += String(chunk);
    return JSON.parse(said) as { where: string; said: unknown };
  }

  test("without a warden that listens starts its program all the same, with a way to nowhere", async () => {
    expect(await run("/nowhere/witness.sock")).toEqual({ where: "/dev/null", said: 32 });
    expect(await run("/".padEnd(200, "x"))).toEqual({ where: "/dev/null", said: 32 });
  });

  test("that was given no witness gives none", async () => {
    const { where } = await run(undefined);
    expect(where).not.toMatch(/null|socket/);
  });
});
