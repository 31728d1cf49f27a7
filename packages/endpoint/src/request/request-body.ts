/**
 * A request's body: bounded, UTF-8, one JSON object.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { ApiError } from "./api-error.ts";

/** Half of what a node takes, because what is written for the worker may be longer than what came. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** @throws {@link ApiError} 400, 413 or 415 */
export async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? ""))
    throw new ApiError(415, "Send the body as application/json.");
  if (request.headers["content-encoding"] !== undefined)
    throw new ApiError(415, "Send the body without a content encoding.");
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES)
      throw new ApiError(413, `The body has over ${MAX_BODY_BYTES} bytes.`);
    parts.push(part);
  }
  const untrusted = parse(Buffer.concat(parts));
  if (typeof untrusted !== "object" || untrusted === null || Array.isArray(untrusted))
    throw new ApiError(400, "The body is not a JSON object.");
  return untrusted as Record<string, unknown>;
}

function parse(untrusted: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(untrusted));
  } catch {
    throw new ApiError(400, "The body is not JSON in UTF-8.");
  }
}
