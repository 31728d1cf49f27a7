/**
 * A repository behind a web server, read within its limits.
 *
 * @module
 */
import { ReleaseError } from "../../packages/release/src/release-error.ts";
import type { ReleaseSource } from "../../packages/release/src/release-source.ts";

/** A server that says nothing for so long is gone. */
const SILENCE_MS = 10_000;

export class HttpSource implements ReleaseSource {
  readonly #metadataUrl: string;

  constructor(metadataUrl: string) {
    this.#metadataUrl = metadataUrl;
  }

  async read(path: string, maxBytes: number): Promise<Buffer | undefined> {
    const parts: Uint8Array[] = [];
    const pieces = await download(below(this.#metadataUrl, path.replace(/^metadata\//, "")));
    if (pieces === undefined) return undefined;
    let length = 0;
    for await (const piece of pieces) {
      length += piece.length;
      if (length > maxBytes)
        throw new ReleaseError("ERR_TOO_LARGE", `${path} is longer than ${maxBytes} bytes`);
      parts.push(piece);
    }
    return Buffer.concat(parts);
  }
}

export function below(base: string, path: string): URL {
  return new URL(path.split("/").map(encodeURIComponent).join("/"), `${base.replace(/\/$/, "")}/`);
}

/** @returns `undefined` when it is not there */
export async function download(url: URL): Promise<AsyncIterable<Uint8Array> | undefined> {
  let answer: Response;
  try {
    answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(SILENCE_MS) });
  } catch {
    throw new ReleaseError("ERR_MISSING", `${url.href} cannot be reached`);
  }
  if (answer.status === 404) return undefined;
  if (!answer.ok || answer.body === null)
    throw new ReleaseError("ERR_MISSING", `${url.href} answers ${answer.status}`);
  return answer.body;
}
