/**
 * One process at a time in a state folder, also after one that was killed: a socket that somebody answers.
 *
 * @module
 */
import { rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";

/** @throws when another process has the folder */
export async function lockFolder(dir: string): Promise<() => void> {
  const path = join(dir, "lock.sock");
  if (await isAnswered(path)) throw new RangeError(`another control plane runs in ${dir}`);
  rmSync(path, { force: true });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return () => void server.close();
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
