/**
 * Makes a process fault, from outside and for real: the first of its threads that comes back from the kernel jumps to
 * a place in its memory that holds text, which no processor runs.
 *
 *   fault.ts PID PATTERN     as root; PATTERN matches what comes just behind the bytes that lie around the fault
 *
 * Code is written through /proc/PID/mem, which asks no page whether it may be written to. Runs in a guest as well,
 * by itself.
 *
 * Source: proc(5), /proc/pid/mem, /proc/pid/syscall; Linux, arch/x86/kernel/dumpstack.c, show_opcodes.
 *
 * @module
 */
import { openSync, readdirSync, readFileSync, readSync, writeSync } from "node:fs";

/** Read at once. */
const PIECE_BYTES = 1024 * 1024;
/** The kernel prints 42 bytes before a fault, and 22 from it on. */
const SHOWN_FROM_IT = 22;

const [pid = "", pattern = ""] = process.argv.slice(2);
const memory = openSync(`/proc/${pid}/mem`, "r+");
const jump = jumpTo(placeOf(new RegExp(pattern)) - SHOWN_FROM_IT);
for (const place of returns()) writeSync(memory, jump, 0, jump.length, place);

/** movabs $place, %rax; jmp *%rax */
function jumpTo(place: number): Buffer {
  const code = Buffer.from("48b80000000000000000ffe0", "hex");
  code.writeBigUInt64LE(BigInt(place), 2);
  return code;
}

function placeOf(wanted: RegExp): number {
  const piece = Buffer.alloc(PIECE_BYTES);
  const maps = readFileSync(`/proc/${pid}/maps`, "latin1");
  for (const [, start = "", end = ""] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw-p/gm))
    for (let at = parseInt(start, 16); at < parseInt(end, 16); at += PIECE_BYTES) {
      const length = readSync(memory, piece, 0, Math.min(PIECE_BYTES, parseInt(end, 16) - at), at);
      const found = piece.subarray(0, length).toString("latin1").search(wanted);
      if (found >= SHOWN_FROM_IT) return at + found;
    }
  throw new Error("the text is not in its memory");
}

/** Where its threads go on that wait in the kernel. */
function returns(): Set<number> {
  const lines = readdirSync(`/proc/${pid}/task`).map((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/syscall`, "latin1").trim(),
  );
  const waiting = lines.filter((line) => line !== "running");
  if (waiting.length === 0) throw new Error("none of its threads waits");
  return new Set(waiting.map((line) => Number(line.split(" ").at(-1))));
}
