import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SystemdStarter } from "./systemd-starter.ts";

let dir: string;
let path: string;
let server: Server;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "phantoma-starter-"));
  path = join(dir, "worker.sock");
  server = createServer({ allowHalfOpen: false });
});

afterEach(() => {
  server.close();
  rmSync(dir, { recursive: true });
});

test("each start is a connection of its own, both ways", async () => {
  const accepted: Socket[] = [];
  server.on("connection", (socket) => {
    accepted.push(socket);
    socket.on("data", (bytes) => socket.write(`${accepted.length}: ${bytes.toString("ascii")}`));
  });
  await listen();
  const starter = new SystemdStarter(path);
  const first = await starter.start();
  first.write("warm");
  expect(String(await answer(first))).toBe("1: warm");
  const second = await starter.start();
  second.write("warm");
  expect(String(await answer(second))).toBe("2: warm");
  first.destroy();
  second.destroy();
});

test("without a socket unit there is no process, and the caller hears so", async () => {
  await expect(new SystemdStarter(path).start()).rejects.toMatchObject({ code: "ENOENT" });
});

test("a process that ends at once is a connection that closes", async () => {
  server.on("connection", (socket) => socket.destroy());
  await listen();
  const connection = await new SystemdStarter(path).start();
  connection.resume();
  await once(connection, "close");
  expect(connection.destroyed).toBe(true);
});

test("closing the connection is how a process is told to end", async () => {
  const accepted = once(server, "connection") as Promise<[Socket]>;
  await listen();
  const connection = await new SystemdStarter(path).start();
  const [process] = await accepted;
  process.resume();
  const ended = once(process, "end");
  connection.destroy();
  await ended;
});

test("a connection that breaks does not break the gateway", async () => {
  const accepted = once(server, "connection") as Promise<[Socket]>;
  await listen();
  const connection = await new SystemdStarter(path).start();
  const [process] = await accepted;
  // Not `once`, which would listen for the error itself.
  const closed = new Promise((resolve) => connection.on("close", resolve));
  process.destroy();
  connection.write("into the void");
  connection.write("and again");
  connection.resume();
  await closed;
});

async function listen(): Promise<void> {
  server.listen(path);
  await once(server, "listening");
}

async function answer(connection: NodeJS.ReadableStream): Promise<unknown> {
  const [bytes] = await once(connection, "data");
  return bytes;
}
