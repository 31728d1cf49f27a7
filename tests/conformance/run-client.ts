/**
 * Starts a client as a conformance suite does: by its path, as a process of its own.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export interface Ended {
  readonly exitCode: number | null;
  /** What it said about it. */
  readonly words: string;
}

/** @param name of a program in this folder */
export async function runClient(name: string, args: readonly string[]): Promise<Ended> {
  const client = fileURLToPath(new URL(name, import.meta.url));
  // The program asks for a `node`: this one.
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env["PATH"]}` };
  const child = spawn(client, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let words = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (piece: Buffer) => (words += piece.toString("utf8")));
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, words };
}
