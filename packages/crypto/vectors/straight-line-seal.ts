/**
 * Sealed bytes a second time, with a salt, chunk size and end of the test's choice.
 *
 * Source: the layout in PROTOCOL.md, section 8; shares no code with the product.
 *
 * @module
 */
import { createCipheriv, createHash, createHmac, hkdfSync } from "node:crypto";
import { bigEndian } from "./document-values.ts";

export interface SealPlan {
  readonly key: Uint8Array;
  readonly context: Uint8Array;
  readonly salt: Uint8Array;
  readonly chunks: readonly Uint8Array[];
}

export function straightLineSeal({ key, context, salt, chunks }: SealPlan): Buffer {
  const contextHash = createHash("sha256").update(context).digest();
  const info = Buffer.concat([Buffer.from("phantoma sealed v1\0"), contextHash]);
  const keys = Buffer.from(hkdfSync("sha256", key, salt, info, 64));
  const head = Buffer.concat([
    Buffer.from("PHSEAL1\0"),
    bigEndian(65_536, 4),
    bigEndian(0, 4),
    salt,
  ]);
  const commitment = createHmac("sha256", keys.subarray(32)).update(head).digest();
  const sealed = chunks.map((chunk, index) => {
    const nonce = Buffer.concat([
      bigEndian(index, 11),
      Buffer.of(index === chunks.length - 1 ? 1 : 0),
    ]);
    const cipher = createCipheriv("aes-256-gcm", keys.subarray(0, 32), nonce);
    return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  });
  return Buffer.concat([head, commitment, ...sealed]);
}
