/**
 * Whether a request may come in. This file decides; `endpoint.ts` acts.
 *
 * Programs of this machine may, with a key. Web pages may not, whatever they know: a browser says where a
 * request comes from, and CORS is never answered.
 *
 * @module
 */
import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "../request/api-error.ts";
import type { ApiKeys } from "./api-keys.ts";

/** @returns the name of the key; @throws {@link ApiError} 401, 403 or 421 */
export function admit(headers: IncomingHttpHeaders, port: number, keys: ApiKeys): string {
  // A page of another name that resolves here is not ours: DNS rebinding ends at this line.
  if (!hostsOf(port).includes(headers.host ?? ""))
    throw new ApiError(421, "This endpoint is asked by the name of this machine only.");
  const site = headers["sec-fetch-site"] ?? "none";
  if (headers.origin !== undefined || site !== "none")
    throw new ApiError(403, "Web pages may not ask this endpoint.");
  const name = keys.nameOf(keyOf(headers));
  if (name === undefined)
    throw new ApiError(401, "Incorrect API key provided; `phantoma serve` says where keys lie.", {
      code: "invalid_api_key",
    });
  return name;
}

function hostsOf(port: number): string[] {
  return ["127.0.0.1", "localhost", "[::1]"].map((host) => `${host}:${port}`);
}

/** OpenAI's clients send a bearer token, Anthropic's a header of their own. */
function keyOf(headers: IncomingHttpHeaders): string {
  const bearer = /^bearer ([!-~]+)$/i.exec(headers.authorization ?? "")?.[1];
  return bearer ?? String(headers["x-api-key"] ?? "");
}
