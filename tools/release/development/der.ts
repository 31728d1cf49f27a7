/**
 * The few forms of DER that a certificate is made of.
 *
 * Source: ITU-T X.690 (2021), sections 8 and 10.
 *
 * @module
 */

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x30, ...parts);
}

export function set(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x31, ...parts);
}

/** [number], constructed or not. */
export function context(
  number: number,
  isConstructed: boolean,
  ...parts: readonly Uint8Array[]
): Buffer {
  return tagged(0x80 | (isConstructed ? 0x20 : 0) | number, ...parts);
}

/** A non-negative integer, big-endian. */
export function integer(bytes: Uint8Array): Buffer {
  return tagged(0x02, bytes[0]! & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

export function octets(bytes: Uint8Array): Buffer {
  return tagged(0x04, bytes);
}

export function bits(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tagged(0x03, Buffer.of(unusedBits), bytes);
}

export function utf8(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text, "utf8"));
}

export const TRUE = Buffer.from("0101ff", "hex");

/** UTCTime for years before 2050, GeneralizedTime from then on: RFC 5280, section 4.1.2.5. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-T:]|\.\d+/g, "");
  return date.getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2), "latin1"))
    : tagged(0x18, Buffer.from(digits, "latin1"));
}

export function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const bytes = [first! * 40 + second!, ...rest].flatMap((number) => {
    const sevenBits = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) sevenBits.unshift((left & 0x7f) | 0x80);
    return sevenBits;
  });
  return tagged(0x06, Buffer.from(bytes));
}

function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), lengthOf(body.length), body]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  return length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff);
}
