/**
 * The journal on the server: appended and flushed event by event, so that whoever comes back after a cut finds how far
 * it came. Half a line, which a power cut can leave, is finished as a line of its own.
 *
 * @module
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { NewEvent } from "../journal.ts";
import { SETUP_DIR, type Machine } from "./machine.ts";

export const JOURNAL_FILE = "journal";

export class JournalFile {
  readonly #dir: string;

  constructor(machine: Machine) {
    this.#dir = machine.path(SETUP_DIR);
  }

  append(event: NewEvent): void {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const path = join(this.#dir, JOURNAL_FILE);
    const file = openSync(path, "a", 0o600);
    try {
      const isCut = !["", "\n"].includes(readFileSync(path, "utf8").slice(-1));
      writeSync(file, `${isCut ? "\n" : ""}${JSON.stringify({ ...event, at: Date.now() })}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }
}
