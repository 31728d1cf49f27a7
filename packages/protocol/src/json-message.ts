/**
 * Messages whose body is JSON: kind (1 byte), then UTF-8 text of a strict schema.
 *
 * @module
 */
import type { z } from "zod";
import { ProtocolError } from "./protocol-error.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function encodeJson(kind: number, body: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(body), "utf8");
  const message = Buffer.concat([Buffer.of(kind), text]);
  text.fill(0);
  return message;
}

/**
 * The body of a message, without its kind byte.
 *
 * The error names the field that is wrong, never its content.
 *
 * @throws {@link ProtocolError} `ERR_INVALID_UTF8` or `ERR_INVALID_MESSAGE`
 */
export function decodeJson<T>(schema: z.ZodType<T>, untrusted: Uint8Array): T {
  const parsed = schema.safeParse(parseJson(decodeText(untrusted)));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.filter((step) => typeof step !== "symbol").join(".") ?? "";
  throw new ProtocolError("ERR_INVALID_MESSAGE", `${where || "the message"}: ${issue?.code}`);
}

/** @throws {@link ProtocolError} `ERR_INVALID_UTF8` */
export function decodeText(untrusted: Uint8Array): string {
  try {
    return utf8.decode(untrusted);
  } catch {
    throw new ProtocolError("ERR_INVALID_UTF8", "the text is not UTF-8");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtocolError("ERR_INVALID_MESSAGE", "the message is not JSON");
  }
}
