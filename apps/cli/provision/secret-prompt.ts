/**
 * Passwords and passphrases as they are typed: read as bytes, never shown, never an argument. Without a terminal they
 * are lines of standard input, in the order in which they are asked for.
 *
 * @module
 */
import { readSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Secret } from "@phantoma/crypto";
import { notice, UsageError } from "../output.ts";

/** Bytes of one. */
const MAX_SECRET_BYTES = 1_024;
const [CTRL_C, BACKSPACE, ENTER, NEWLINE, DELETE] = [3, 8, 13, 10, 127];

/** @param what in words: "the password of root" */
export async function askSecret(what: string): Promise<Secret> {
  if (!process.stdin.isTTY) return readSecretLine(what);
  process.stderr.write(`${what}: `);
  return new Promise((resolve, reject) => {
    const typed = Buffer.alloc(MAX_SECRET_BYTES);
    let length = 0;
    const { stdin } = process;
    const end = (): void => {
      stdin.off("data", hear).setRawMode(false).pause();
      process.stderr.write("\n");
    };
    const hear = (keys: Buffer): void => {
      for (const key of keys) {
        if (key === CTRL_C) {
          end();
          typed.fill(0);
          return reject(new UsageError("nothing was typed"));
        }
        if (key === ENTER || key === NEWLINE) {
          end();
          resolve(new Secret(Buffer.from(typed.subarray(0, length))));
          typed.fill(0);
          keys.fill(0);
          return;
        }
        if (key === BACKSPACE || key === DELETE) length = Math.max(0, length - 1);
        else if (length < MAX_SECRET_BYTES) typed[length++] = key;
      }
      keys.fill(0);
    };
    stdin.setRawMode(true).on("data", hear).resume();
  });
}

/** A question with an answer that may be seen; nobody is there to ask where there is no terminal. */
export async function askLine(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim();
  } finally {
    terminal.close();
  }
}

/** Byte by byte, so that the next line is still there for whoever asks next. */
function readSecretLine(what: string): Secret {
  notice(`phantoma: ${what} is read from standard input`);
  const line = Buffer.alloc(MAX_SECRET_BYTES);
  const one = Buffer.alloc(1);
  for (let length = 0; length < MAX_SECRET_BYTES; length += 1) {
    if (readSync(0, one) === 0 && length === 0) break;
    if (one[0] === NEWLINE) return new Secret(Buffer.from(line.subarray(0, length)));
    line[length] = one[0]!;
    one[0] = NEWLINE;
  }
  throw new UsageError(`${what} is wanted as a line of standard input`);
}
