/**
 * Size and SHA-256 of a file of any size in constant memory, and a copy of exactly the bytes that were hashed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { ReleaseError } from "./release-error.ts";

/** 1 MiB: larger pieces are not faster. */
const PIECE_BYTES = 1_048_576;

/**
 * Refuses a file that is not the expected one; reads no further than one byte past its expected end.
 *
 * @param copyPath where to put the verified bytes; new, and removed again when they are not the expected ones. Who
 *   uses this copy uses what was hashed, whatever happens to the file.
 * @throws {@link ReleaseError} `ERR_MISSING`, `ERR_DIGEST`
 */
export async function demandDigest(
  path: string,
  expected: { readonly length: number; readonly sha256: string },
  copyPath?: string,
): Promise<void> {
  await using file = await open(path, "r").catch(() => {
    throw new ReleaseError("ERR_MISSING", `${path} cannot be read`);
  });
  await using copy = copyPath === undefined ? undefined : await open(copyPath, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    const piece = Buffer.alloc(PIECE_BYTES);
    let length = 0;
    for (;;) {
      const wanted = Math.min(PIECE_BYTES, expected.length + 1 - length);
      const { bytesRead } = await file.read(piece, 0, wanted);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > expected.length)
        throw new ReleaseError("ERR_DIGEST", `${path} is longer than ${expected.length} bytes`);
      hash.update(piece.subarray(0, bytesRead));
      await copy?.appendFile(piece.subarray(0, bytesRead));
    }
    if (length !== expected.length)
      throw new ReleaseError(
        "ERR_DIGEST",
        `${path} is ${length} bytes long, not ${expected.length}`,
      );
    if (hash.digest("hex") !== expected.sha256)
      throw new ReleaseError("ERR_DIGEST", `${path} is not the file that was signed`);
    await copy?.sync();
  } catch (error) {
    if (copyPath !== undefined) await rm(copyPath, { force: true });
    throw error;
  }
}
