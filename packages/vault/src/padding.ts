/**
 * Hides how long something is: length (4), bytes, zeros up to one of few sizes.
 *
 * Sizes above the smallest have as many significant bits as the number of bits needs (Padmé): at most 12 % more bytes,
 * and only the order of magnitude shows.
 *
 * Source: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", section 4.
 *
 * @module
 */
import { VaultError } from "./vault-error.ts";

/** A short conversation looks like an empty one, in bytes. */
export const SMALLEST_PADDED_BYTES = 1024;

const LENGTH_BYTES = 4;

export function pad(bytes: Uint8Array): Buffer {
  const padded = Buffer.alloc(paddedLength(LENGTH_BYTES + bytes.length));
  padded.writeUInt32BE(bytes.length);
  padded.set(bytes, LENGTH_BYTES);
  return padded;
}

/** @throws {@link VaultError} `ERR_VAULT_DAMAGED` for anything that {@link pad} does not make */
export function unpad(padded: Buffer): Buffer {
  const length = padded.length < LENGTH_BYTES ? Infinity : padded.readUInt32BE();
  const end = LENGTH_BYTES + length;
  if (
    end > padded.length ||
    padded.length !== paddedLength(end) ||
    padded.subarray(end).some(Boolean)
  )
    throw new VaultError("ERR_VAULT_DAMAGED", "what was sealed is not padded as it must be");
  return padded.subarray(LENGTH_BYTES, end);
}

export function paddedLength(length: number): number {
  if (length <= SMALLEST_PADDED_BYTES) return SMALLEST_PADDED_BYTES;
  const exponent = Math.floor(Math.log2(length));
  const significant = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** (exponent - significant);
  return Math.ceil(length / step) * step;
}
