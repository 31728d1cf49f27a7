/**
 * Searches the memory of another process for words, as text of one and of two bytes a character.
 *
 * @module
 */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** Read at once; pieces overlap by the length of the longest needle. */
const PIECE_BYTES = 4 * 1024 * 1024;

export interface ScanResult {
  readonly hits: number;
  readonly scannedBytes: number;
}

/**
 * Every readable mapping of `pid` but the code of programs, which are files that nobody writes to; what cannot be
 * read (vvar, a process that ends) is skipped.
 */
export function scanMemory(pid: number, word: string): ScanResult {
  const needles = [Buffer.from(word, "utf8"), Buffer.from(word, "utf16le")];
  const overlap = Math.max(...needles.map((needle) => needle.length)) - 1;
  const piece = Buffer.alloc(PIECE_BYTES + overlap);
  const memory = openSync(`/proc/${pid}/mem`, "r");
  let hits = 0;
  let scannedBytes = 0;
  try {
    for (const { start, end } of readableMappings(pid)) {
      for (let at = start; at < end; at += PIECE_BYTES) {
        const length = readPiece(memory, piece, at, Math.min(PIECE_BYTES + overlap, end - at));
        if (length === 0) break;
        scannedBytes += Math.min(length, PIECE_BYTES);
        for (const needle of needles) hits += count(piece.subarray(0, length), needle);
      }
    }
  } finally {
    closeSync(memory);
    piece.fill(0);
  }
  return { hits, scannedBytes };
}

function readableMappings(pid: number): { start: number; end: number }[] {
  return readFileSync(`/proc/${pid}/maps`, "latin1")
    .split("\n")
    .map((line) =>
      /^([0-9a-f]+)-([0-9a-f]+) r(?!-xp [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ [1-9])/.exec(line),
    )
    .filter((match) => match !== null)
    .map(([, start, end]) => ({
      start: Number.parseInt(start!, 16),
      end: Number.parseInt(end!, 16),
    }))
    .filter(({ end }) => end <= Number.MAX_SAFE_INTEGER);
}

function readPiece(memory: number, piece: Buffer, at: number, length: number): number {
  try {
    return readSync(memory, piece, 0, length, at);
  } catch {
    return 0;
  }
}

function count(piece: Buffer, needle: Buffer): number {
  let found = 0;
  for (let at = piece.indexOf(needle); at >= 0; at = piece.indexOf(needle, at + 1)) found += 1;
  return found;
}
