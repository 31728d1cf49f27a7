/**
 * Addresses of a window order: 16 bytes, IPv4 mapped into IPv6, and the text that people and sockets use.
 *
 * @module
 */
import { CryptoError } from "../crypto-error.ts";

const MAPPED = Buffer.from("00000000000000000000ffff", "hex");

/** Dotted for a mapped IPv4 address, RFC 5952 for every other one. */
export function addressText(address: Uint8Array): string {
  const bytes = Buffer.from(address);
  if (bytes.subarray(0, 12).equals(MAPPED)) return bytes.subarray(12).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index));
  return canonical(groups.map((group) => group.toString(16)).join(":"))!;
}

/** @throws {@link CryptoError} `ERR_DOCUMENT_FIELD` for what is no address */
export function addressBytes(text: string): Uint8Array {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) {
    const parts = text.split(".").map(Number);
    if (parts.every((part) => part <= 255))
      return new Uint8Array(Buffer.concat([MAPPED, Buffer.from(parts)]));
  }
  const [left, right] = (canonical(text) ?? "").split("::");
  if (!left && right === undefined)
    throw new CryptoError("ERR_DOCUMENT_FIELD", "that is no IP address");
  const groups = (half: string | undefined) => (half ? half.split(":") : []);
  const [head, tail] = [groups(left), groups(right)];
  const gap = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...head, ...gap, ...tail].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * index);
  return new Uint8Array(bytes);
}

/** WHATWG's URL reads every form of an IPv6 address and writes one. */
function canonical(text: string): string | undefined {
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !text.includes(":")) return undefined;
  const url = `https://[${text}]`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined;
}
