/**
 * A word that cannot occur by chance, and whether it or a third of it is in some bytes, however it was written.
 *
 * @module
 */
import { randomBytes } from "node:crypto";

const LENGTH = 24;
/** As much of it as would still be a leak. */
const PIECE = 8;

/** Small letters, so that it is a name, a file's name and a host's label alike. */
export function newCanary(): string {
  return [...randomBytes(LENGTH)].map((byte) => String.fromCharCode(97 + (byte % 26))).join("");
}

/** In UTF-8, UTF-16, hexadecimal or base64 at any offset, in any piece of eight letters. */
export function leaks(canary: string, bytes: Buffer): boolean {
  const text = bytes.toString("latin1");
  const lower = text.toLowerCase();
  for (let at = 0; at + PIECE <= canary.length; at += 1) {
    const piece = canary.slice(at, at + PIECE);
    if (lower.includes(piece) || lower.includes(Buffer.from(piece).toString("hex"))) return true;
    if (text.includes(Buffer.from(piece, "utf16le").toString("latin1"))) return true;
    for (const before of ["", "a", "aa"]) {
      const encoded = Buffer.from(before + piece).toString("base64");
      // The letters at the ends depend on what stands beside.
      if (text.includes(encoded.slice(Math.ceil((before.length * 4) / 3), 10))) return true;
    }
  }
  return false;
}
