/**
 * A file that one process of the node writes and others read: whole or not there, and theirs to read
 * whatever the umask says.
 *
 * @module
 */
import { chmodSync, renameSync, writeFileSync } from "node:fs";

/** @param isKept it must outlast a power cut */
export function writePublicFile(path: string, content: Uint8Array | string, isKept = true): void {
  const fresh = `${path}.new`;
  writeFileSync(fresh, content, { flush: isKept });
  chmodSync(fresh, 0o644);
  renameSync(fresh, path);
}
