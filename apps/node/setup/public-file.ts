/**
 * A file that one process of the node writes and others read: whole or not there, and theirs to read
 * whatever the umask says.
 *
 * @module
 */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  writeFileSync,
} from "node:fs";

/** @param isKept it must outlast a power cut */
export function writePublicFile(path: string, content: Uint8Array | string, isKept = true): void {
  const fresh = `${path}.new`;
  writeFileSync(fresh, content, { flush: isKept });
  chmodSync(fresh, 0o644);
  renameSync(fresh, path);
}

/**
 * Reads what another process wrote, whatever it put there: no link is followed, no pipe waited for, and no more than
 * `maxBytes` read.
 *
 * @throws the file system's error; `EFBIG` for more, `EINVAL` for what is no file
 */
export function readPublicFile(path: string, maxBytes: number): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) throw refusal("EINVAL", path);
    const bytes = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (let got = 1; got > 0 && length < bytes.length; length += got)
      got = readSync(file, bytes, length, bytes.length - length, null);
    if (length > maxBytes) throw refusal("EFBIG", path);
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

function refusal(code: "EINVAL" | "EFBIG", path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
