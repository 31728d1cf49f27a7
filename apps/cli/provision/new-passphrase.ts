/**
 * A passphrase that a person makes up: long enough, and typed twice where it is typed.
 *
 * @module
 */
import { assertLong } from "@phantoma/client";
import type { Secret } from "@phantoma/crypto";
import { UsageError } from "../output.ts";
import { askSecret } from "./secret-prompt.ts";

/** @param what in words: "a passphrase for the kit" */
export async function askNewPassphrase(what: string): Promise<Secret> {
  const first = await askSecret(what);
  assertLong(first);
  if (!process.stdin.isTTY) return first;
  const second = await askSecret("once more");
  const isSame = first.expose().equals(second.expose());
  second.erase();
  if (!isSame) throw new UsageError("the two are not the same");
  return first;
}
