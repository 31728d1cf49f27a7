/**
 * Public keys that must be refused.
 *
 * Source: RFC 7748, section 6.1, and the list of low-order points at cr.yp.to/ecdh.html#validate;
 * FIPS 203, section 7.2 (the modulus check of an encapsulation key).
 *
 * @module
 */

/** All encodings of points of order 1, 2, 4 or 8, on the curve and its twist; hex. */
export const lowOrderPoints: readonly string[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].flatMap((low) => {
  const withTopBit = Buffer.from(low, "hex");
  withTopBit[31]! |= 0x80;
  return [low, withTopBit.toString("hex")];
});

/** A coefficient has 12 bits and must be below 3329. */
const MODULUS = 3329;

/** Encapsulation keys of the right length with one or all coefficients at or past the modulus. */
export function badEncapsulationKeys(good: Uint8Array): { name: string; key: Uint8Array }[] {
  return [
    { name: "its first coefficient at the modulus", key: withCoefficient(good, 0, MODULUS) },
    { name: "its last coefficient at the modulus", key: withCoefficient(good, 767, MODULUS) },
    { name: "a middle coefficient of 4095", key: withCoefficient(good, 400, 4095) },
    { name: "all bits set", key: new Uint8Array(good.length).fill(255) },
  ];
}

/** FIPS 203, algorithm 5: two coefficients in three bytes, low bits first. */
export function withCoefficient(key: Uint8Array, index: number, value: number): Uint8Array {
  const changed = new Uint8Array(key);
  const start = Math.floor(index / 2) * 3;
  const middle = changed[start + 1]!;
  if (index % 2 === 0) {
    changed[start] = value & 0xff;
    changed[start + 1] = (middle & 0xf0) | (value >> 8);
  } else {
    changed[start + 1] = (middle & 0x0f) | ((value & 0x0f) << 4);
    changed[start + 2] = value >> 4;
  }
  return changed;
}
