/**
 * Byte strings one after the other, each after its length in 4 bytes.
 *
 * @module
 */
export function framed(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}

/** The first `count` of them, and what follows; `undefined` when they are not there. */
export function unframed(
  untrusted: Buffer,
  count: number,
): { readonly parts: Buffer[]; readonly rest: Buffer } | undefined {
  const parts: Buffer[] = [];
  let rest = untrusted;
  while (parts.length < count) {
    if (rest.length < 4) return undefined;
    const end = 4 + rest.readUInt32BE();
    if (rest.length < end) return undefined;
    parts.push(rest.subarray(4, end));
    rest = rest.subarray(end);
  }
  return { parts, rest };
}
