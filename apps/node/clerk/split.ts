/**
 * Byte strings, each after its length in 4 bytes, as base64.
 *
 * @module
 */
export function split(joined: Buffer): string[] {
  const parts: string[] = [];
  for (let at = 0; at < joined.length;) {
    const end = at + 4 + joined.readUInt32BE(at);
    parts.push(joined.toString("base64", at + 4, end));
    at = end;
  }
  return parts;
}
