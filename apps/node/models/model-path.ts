/**
 * Where a model lies: named by its digest, so nobody can name any other file.
 *
 * @module
 */
import { join } from "node:path";

/** @param digest SHA-256 of the file, 32 bytes */
export function modelPath(dir: string, digest: Uint8Array): string {
  return join(dir, `${Buffer.from(digest).toString("hex")}.gguf`);
}
