/** Workers and clerks made by the gateway's parent: a connection each, nothing read on the way, and an end. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { temporaryDir } from "../test-node.ts";
import { Cells } from "./cells.ts";

const starter = fileURLToPath(new URL("../gateway/parent-starter.ts", import.meta.url));

/** Starts a process of each role as the gateway does, and tells its parent what it heard from it. */
const gatewayScript = `
import { ParentStarter } from ${JSON.stringify(starter)};
const starters = { worker: new ParentStarter(process, "worker"), clerk: new ParentStarter(process, "clerk") };
const connections = new Map();
process.on("message", async ({ test, role, id }) => {
  if (test === "start and stand still") {
    void starters[role].start();
    void starters[role].start();
    setImmediate(() => process.kill(process.pid, "SIGSTOP"));
  }
  if (test === "start") {
    try {
      const connection = await starters[role].start();
      connections.set(id, connection);
      connection.on("data", (data) => process.send({ heard: String(data), of: id }));
      connection.write("hello " + role);
    } catch (error) {
      process.send({ heard: error.message, of: id });
    }
  }
  if (test === "close") connections.get(id).destroy();
});
process.on("disconnect", () => process.exit());
`;

/** Answers each byte with its pid and what it heard; ends with its connection, unless it is told to hang. */
const cellScript = `
import { appendFileSync } from "node:fs";
import { Socket } from "node:net";
if (process.argv[1] !== "--hangs") appendFileSync(process.argv[1], process.pid + "\\n");
const socket = new Socket({ fd: 3, readable: true, writable: true });
const keeper = new Socket({ fd: 4, readable: true, writable: true });
keeper.on("data", () => undefined);
socket.on("data", (data) => socket.write(process.pid + " " + data));
socket.on("close", () => process.exit()).on("error", () => process.exit());
socket.on("end", () => process.argv.includes("--hangs") || process.exit());
setInterval(() => undefined, 1000);
`;

let gateway: ChildProcess;
let cells: Cells;
let heard: { heard: string; of: number }[];
let hangs: boolean;
let pidsPath: string;

beforeEach(async () => {
  const dir = temporaryDir();
  pidsPath = join(dir, "pids");
  writeFileSync(pidsPath, "");
  const keeperSocket = join(dir, "keeper.sock");
  const keeper = createServer(() => undefined).listen(keeperSocket);
  await once(keeper, "listening");
  gateway = spawn(process.execPath, ["--input-type=module", "-e", gatewayScript], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  [heard, hangs] = [[], false];
  gateway.on("message", (message: { heard?: string; of: number }) => {
    if (message.heard !== undefined) heard.push({ heard: message.heard, of: message.of });
  });
  cells = await Cells.serve({
    gateway,
    pairSocket: join(dir, "pair.sock"),
    command: () => [
      process.execPath,
      "--input-type=module",
      "-e",
      cellScript,
      ...(hangs ? ["--", "--hangs"] : ["--", pidsPath]),
    ],
    keeperSocket: (role) => (role === "worker" ? keeperSocket : join(dir, "none.sock")),
    reportSocket: () => undefined,
    // Long, where it must not be what ends a process.
    get graceMs() {
      return hangs ? 3_000 : 60_000;
    },
  });
  onTestFinished(async () => {
    gateway.kill("SIGKILL");
    await cells.stopped();
    keeper.close();
  });
});

const patiently = { timeout: 15_000 };

async function start(id: number, role = "worker"): Promise<string> {
  gateway.send({ test: "start", role, id });
  await expect.poll(() => heard.filter(({ of }) => of === id).length, patiently).toBe(1);
  return heard.find(({ of }) => of === id)!.heard;
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("each start is a process of its own, and its first word arrives", async () => {
  const first = await start(1);
  const second = await start(2);
  expect(first).toMatch(/^\d+ hello worker$/);
  expect(second).toMatch(/^\d+ hello worker$/);
  expect(parseInt(first)).not.toBe(parseInt(second));
});

test("many at once each get their own connection", async () => {
  const answers = await Promise.all([1, 2, 3, 4, 5].map((id) => start(id)));
  expect(new Set(answers.map((answer) => parseInt(answer))).size).toBe(5);
}, 30_000);

test("closing the connection ends the process", async () => {
  const pid = parseInt(await start(1));
  gateway.send({ test: "close", id: 1 });
  await expect.poll(() => isAlive(pid), patiently).toBe(false);
});

test("one that does not end by itself is ended after its grace", async () => {
  hangs = true;
  const pid = parseInt(await start(1));
  process.kill(pid, "SIGSTOP");
  gateway.send({ test: "close", id: 1 });
  await expect.poll(() => isAlive(pid), patiently).toBe(false);
});

test("without a keeper there is no process, and the gateway hears so", async () => {
  expect(await start(1, "clerk")).toBe("no process could be made");
});

test("a gateway that dies takes its processes with it", async () => {
  const pid = parseInt(await start(1));
  gateway.kill("SIGKILL");
  await expect.poll(() => isAlive(pid), patiently).toBe(false);
});

test("one that is killed before it took their connections takes them too", async () => {
  gateway.send({ test: "start and stand still", role: "worker" });
  const pids = () => readFileSync(pidsPath, "ascii").trim().split("\n").filter(Boolean).map(Number);
  await expect.poll(() => pids().length, patiently).toBe(2);
  gateway.kill("SIGKILL");
  await expect.poll(() => pids().filter(isAlive), patiently).toEqual([]);
});
