/**
 * Passphrases: typed without an echo, or a line each on standard input. Never an argument, never the environment.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";

let lines: AsyncIterator<string> | undefined;

export async function askPassphrase(question: string): Promise<string> {
  if (!process.stdin.isTTY) {
    lines ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const { value, done } = await lines.next();
    if (done) throw new Error(`no line on standard input for: ${question}`);
    return value;
  }
  process.stderr.write(`${question}: `);
  const silent = new Writable({ write: (_part, _encoding, done) => done() });
  const typing = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise((resolve) => typing.question("", resolve));
  } finally {
    typing.close();
    process.stderr.write("\n");
  }
}
