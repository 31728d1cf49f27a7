/**
 * One finding: good, bad, or not read. What was not understood is not read.
 *
 * @module
 */
import type { Finding } from "@phantoma/protocol";
import { Unreadable } from "./host-files.ts";

/** What the protocol allows. */
const MAX_DETAIL_CHARS = 120;

export function good(detail?: string): Finding {
  return { isGood: true, detail: line(detail) };
}

export function bad(detail?: string): Finding {
  return { isGood: false, detail: line(detail) };
}

export function notRead(why: string): Finding {
  return { isGood: null, detail: line(why) };
}

/** @param look may throw {@link Unreadable}, and nothing else */
export function finding(look: () => Finding): Finding {
  try {
    return look();
  } catch (error) {
    if (error instanceof Unreadable) return notRead(error.message);
    throw error;
  }
}

/** A file of the machine can hold anything: one short line of it is shown. */
function line(untrusted = ""): string | null {
  const text = untrusted.replace(/[^\x20-\x7e]/g, "?").trim();
  return text.length > MAX_DETAIL_CHARS
    ? `${text.slice(0, MAX_DETAIL_CHARS - 3)}...`
    : text || null;
}
