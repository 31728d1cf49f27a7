/**
 * Six words of everything that two devices told each other: equal on both, or somebody stands between them.
 *
 * Who swaps a key in the middle must find one whose words are the same, out of 2^48, while the invitation lives. He
 * sees the last half of the input only when the first is fixed, so he cannot search before; and each try costs an
 * Argon2id, so 2^48 of them cost a million years of a processor.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Device } from "@phantoma/crypto";
import { decodeInvitation } from "./pairing-codes.ts";
import { stretch } from "./stretch.ts";
import { words } from "./words.ts";

/** 48 bits. */
const WORDS = 6;
/** Argon2id makes no less. */
const SHORTEST_BYTES = 16;

/** @param invitation and request as they were sent; spaces do not matter */
export async function sixWords(invitation: string, request: string): Promise<string[]> {
  const plain = (code: string) => code.replace(/\s+/g, "");
  const input = createHash("sha256")
    .update("phantoma pairing words v1\0")
    .update(createHash("sha256").update(plain(invitation)).digest())
    .update(createHash("sha256").update(plain(request)).digest())
    .digest();
  const { id } = decodeInvitation(invitation);
  const made = await stretch(input, id, SHORTEST_BYTES);
  return [...made.subarray(0, WORDS)].map((byte) => words[byte]!);
}

/**
 * The same words on two devices that both know each other's keys from the list: whether the node shows both the same
 * keys. A node that lies picks both false keys, one for each device, and searches for two that collide beforehand: half
 * of the bits count against it, and stretching would not slow it enough.
 */
export function safetyWords(
  one: Pick<Device, "signingKey" | "tunnelKey">,
  other: Pick<Device, "signingKey" | "tunnelKey">,
): { readonly digits: string; readonly words: string[] } {
  const keys = [one, other].map((d) => Buffer.concat([d.signingKey, d.tunnelKey]));
  const sorted = keys.toSorted((a, b) => a.compare(b));
  const digest = createHash("sha256")
    .update("phantoma safety number v1\0")
    .update(Buffer.concat(sorted))
    .digest();
  const number = BigInt(`0x${digest.toString("hex")}`) % 10n ** 60n;
  const digits = number.toString().padStart(60, "0").match(/.{5}/g)!.join(" ");
  return { digits, words: [...digest.subarray(0, SAFETY_WORDS)].map((byte) => words[byte]!) };
}

/** 192 bits: a collision costs 2^96. */
const SAFETY_WORDS = 24;
