/** A demo node that cannot start says why, and leaves neither a process nor a file. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { generateDeviceIdentity } from "@phantoma/crypto";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { LocalNode, type LocalNodeOptions } from "./local-node.ts";

const nodeDir = fileURLToPath(new URL("../../../apps/node", import.meta.url));
const failing = (message: RegExp) =>
  expect.objectContaining({ code: "ERR_LOCAL_NODE", message: expect.stringMatching(message) });

/** A busy machine starts a node slowly, and one test starts two. */
vi.setConfig({ testTimeout: 90_000 });

let dir: string;
beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), "phantoma-local-"));
  dir = join(parent, "node");
  onTestFinished(() => rmSync(parent, { recursive: true }));
});

async function start(options: Partial<LocalNodeOptions>): Promise<LocalNode> {
  const device = generateDeviceIdentity();
  const node = await LocalNode.start({ nodeDir, dir, device, models: [], ...options });
  onTestFinished(() => node.stop());
  return node;
}

/** Processes whose command line names the node's folder. */
function processes(): string[] {
  if (!existsSync("/proc/self/cmdline")) return [];
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(dir));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

test("a gateway that refuses its flags is the last line of the log", async () => {
  await expect(start({ gatewayFlags: ["--no-such-flag", "1"] })).rejects.toThrow(
    failing(/no-such-flag[^]*cannot-start/),
  );
  expect(existsSync(dir)).toBe(false);
  expect(processes()).toEqual([]);
});

test("a folder whose sockets would have too long a path is refused before anything is made", async () => {
  const longest = "/run/for-workers/reports.sock";
  const long = join(dir, "x".repeat(108 - longest.length - dir.length - 1));
  await expect(start({ dir: long })).rejects.toThrow(failing(/is 1 bytes too long for sockets/));
  expect(existsSync(dir)).toBe(false);
});

test("a port that is taken is no reason to wait, and a free one is used", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  await expect(start({ port })).rejects.toThrow(failing(/EADDRINUSE/));
  await new Promise((resolve) => taken.close(resolve));
  expect((await start({ port })).profile.url).toBe(`wss://127.0.0.1:${port}`);
});

test.each(["", "node/state", "node/state/gateway", "node/devices-1.list", "node/run"])(
  "starting is given up when there is %j",
  async (path) => {
    const giveUp = new AbortController();
    const starting = start({ signal: giveUp.signal });
    const gone = expect(starting).rejects.toThrow(failing(/given up/));
    while (!existsSync(join(dir, "..", path))) await sleep(5);
    giveUp.abort();
    await gone;
    expect(existsSync(dir)).toBe(false);
    expect(processes()).toEqual([]);
  },
);
