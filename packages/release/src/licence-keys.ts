/**
 * Who may sign licences: public keys that the quorum listed, in a target of the same signed list as the releases.
 *
 *   {"keys": ["64 hex digits of an Ed25519 key", …]}
 *
 * @module
 */
import { z } from "zod";
import { MAX_LICENCE_KEYS } from "./limits.ts";
import { ReleaseError } from "./release-error.ts";

/** Its name among the targets; the node keeps it under the same. */
export const LICENCE_KEYS_NAME = "licence-keys.json";

const Key = z.string().regex(/^[0-9a-f]{64}$/);
const LicenceKeys = z.strictObject({ keys: z.array(Key).min(1).max(MAX_LICENCE_KEYS) });

/**
 * @returns each key in hex, once
 * @throws {@link ReleaseError} `ERR_LICENCE_KEYS`
 */
export function parseLicenceKeys(untrusted: Uint8Array): readonly string[] {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(untrusted).toString("utf8"));
  } catch {
    throw new ReleaseError("ERR_LICENCE_KEYS", "the list of licence keys is no JSON");
  }
  const parsed = LicenceKeys.safeParse(json);
  if (!parsed.success || new Set(parsed.data.keys).size < parsed.data.keys.length)
    throw new ReleaseError("ERR_LICENCE_KEYS", "this is no list of licence keys, each once");
  return parsed.data.keys;
}
