/**
 * A public key in the forms that people can compare: digits, words and coloured blocks.
 *
 * The digits are `fingerprint` of packages/crypto, which the terminal shows; words and blocks are
 * made from the digits, so equal digits always mean equal words.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { words } from "@phantoma/client";
import { fingerprint } from "@phantoma/crypto";
import type { Fingerprint } from "../ipc/node.ts";

const WORDS = 12;
const BLOCKS = 16;

export function fingerprintView(publicKey: Uint8Array): Fingerprint {
  const digits = fingerprint(publicKey);
  const digest = createHash("sha256").update("phantoma words v1\0").update(digits).digest();
  return {
    digits,
    words: Array.from(digest.subarray(0, WORDS), (byte) => words[byte]!),
    blocks: Array.from(digest.subarray(WORDS, WORDS + BLOCKS), (byte) => byte & 7),
  };
}
