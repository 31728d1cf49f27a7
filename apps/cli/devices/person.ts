/**
 * The person at the terminal, asked what only a person can know: whether two machines show the same words.
 *
 * @module
 */
import { readSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { notice } from "../output.ts";

/** Bytes of an answer; a code is pasted into one. */
const MAX_ANSWER_BYTES = 4_096;
const NEWLINE = 10;

/** The next line, typed or, without a terminal, of standard input; empty at its end. */
export async function askPerson(question: string): Promise<string> {
  if (!process.stdin.isTTY) {
    notice(question);
    return readLine();
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`${question} `)).trim();
  } finally {
    terminal.close();
  }
}

/** Only the whole word counts: who presses Enter has compared nothing. */
export async function saysYes(question: string): Promise<boolean> {
  return (await askPerson(`${question} (yes/no)`)).toLowerCase() === "yes";
}

/** Byte by byte, so that the next line is still there for whoever asks next. */
async function readLine(): Promise<string> {
  const line = Buffer.alloc(MAX_ANSWER_BYTES);
  const one = Buffer.alloc(1);
  for (let length = 0; ; length += 1) {
    const hasOne = length < MAX_ANSWER_BYTES && (await readByte(one));
    if (!hasOne || one[0] === NEWLINE) return line.toString("utf8", 0, length).trim();
    line[length] = one[0]!;
  }
}

/** Between two looks at a pipe that has nothing yet. */
const AGAIN_MS = 50;

async function readByte(one: Buffer): Promise<boolean> {
  for (;;)
    try {
      return readSync(0, one) === 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      await sleep(AGAIN_MS);
    }
}
