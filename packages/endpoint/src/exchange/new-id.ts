/**
 * Names of answers and calls, as the interfaces write them: a prefix, then chance.
 *
 * @module
 */
import { randomBytes } from "node:crypto";

/** Enough that no two answers of a program have one name. */
const ID_BYTES = 18;

export function newId(prefix: string): string {
  return prefix + randomBytes(ID_BYTES).toString("base64url");
}
