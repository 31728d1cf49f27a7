/**
 * Which keys sign licences, as the installer last found them under the quorum's signatures. Root wrote the file.
 *
 * @module
 */
import { join } from "node:path";
import { LICENCE_KEYS_NAME, MAX_LICENCE_KEYS_BYTES, parseLicenceKeys } from "@phantoma/release";
import { readPublicFile } from "../setup/public-file.ts";

/** @returns `undefined` where the quorum has listed none; nobody's where the list is there and unreadable */
export function listedLicenceKeys(outcomeDir: string): readonly Uint8Array[] | undefined {
  try {
    const bytes = readPublicFile(join(outcomeDir, LICENCE_KEYS_NAME), MAX_LICENCE_KEYS_BYTES);
    return parseLicenceKeys(bytes).map((key) => new Uint8Array(Buffer.from(key, "hex")));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : [];
  }
}
