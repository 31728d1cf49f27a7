/**
 * A file that one process of the node writes and others read: whole or not there, and theirs to read
 * whatever the umask says.
 *
 * @module
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";

/** @param isKept it must outlast a power cut */
export function writePublicFile(path: string, content: Uint8Array | string, isKept = true): void {
  const fresh = `${path}.new`;
  writeNewFile(fresh, content, 0o644, isKept);
  renameSync(fresh, path);
}

/**
 * Takes the place of whatever lies there. Root writes into folders of others: a link that one of them laid is neither
 * followed nor changed, however the two race.
 */
export function writeNewFile(
  path: string,
  content: Uint8Array | string,
  mode: number,
  isKept = true,
): void {
  rmSync(path, { force: true });
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, content);
    // Whatever the mask says.
    fchmodSync(file, mode);
    if (isKept) fsyncSync(file);
  } finally {
    closeSync(file);
  }
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
    const stat = fstatSync(file);
    if (!stat.isFile()) throw refusal("EINVAL", path);
    // One byte more: one that grows meanwhile is too long as well.
    const bytes = Buffer.alloc(Math.min(stat.size, maxBytes) + 1);
    let length = 0;
    for (let got = 1; got > 0 && length < bytes.length; length += got)
      got = readSync(file, bytes, length, bytes.length - length, null);
    if (length === bytes.length) throw refusal("EFBIG", path);
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

function refusal(code: "EINVAL" | "EFBIG", path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
