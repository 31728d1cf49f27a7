/**
 * One request of the herald: https to a listed address, no redirect, and no more bytes than were expected.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { addressesFor, listed, type Places } from "../orders/signed-places.ts";
import { HeraldError, heraldErrorOf } from "./herald-error.ts";

/** From the start of a request to its answer's head, in milliseconds. */
const CONNECT_MS = 15_000;
/** Between two pieces of an answer, in milliseconds. */
const IDLE_MS = 30_000;

export interface Question {
  readonly url: URL;
  readonly places: Places;
  /** Sent by POST; absent: GET. */
  readonly body?: Uint8Array;
  readonly signal: AbortSignal;
}

/**
 * @returns the whole body; `undefined` where there is no such file
 * @throws {@link HeraldError}
 */
export async function ask(question: Question, maxBytes: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  const isThere = await askInPieces(question, maxBytes, async (piece) => void parts.push(piece));
  return isThere ? Buffer.concat(parts) : undefined;
}

/**
 * @param take is waited for
 * @returns whether there is such a file
 * @throws {@link HeraldError} `ERR_TOO_LONG` before more than `maxBytes` were taken
 */
export async function askInPieces(
  question: Question,
  maxBytes: number,
  take: (piece: Buffer) => Promise<void>,
): Promise<boolean> {
  let isSecure = false;
  try {
    const response = await head(question);
    isSecure = true;
    if (response.statusCode === 404) {
      response.destroy();
      return false;
    }
    await receive(response, maxBytes, take);
    return true;
  } catch (error) {
    throw heraldErrorOf(error, isSecure);
  }
}

function head({ url, places, body, signal }: Question): Promise<IncomingMessage> {
  const addresses = addressesFor(places, url);
  if (!addresses) throw new HeraldError("ERR_UNREACHABLE");
  const how = {
    method: body ? "POST" : "GET",
    signal,
    agent: false,
    lookup: listed(addresses),
    minVersion: "TLSv1.2",
    // Said here, so that no variable of the environment can say otherwise.
    rejectUnauthorized: true,
    headers: {
      // Every node the same: no version, no machine.
      "user-agent": "phantoma",
      "accept-encoding": "identity",
      ...(body
        ? { "content-type": "application/octet-stream", "content-length": body.length }
        : {}),
    },
  } as const;
  return new Promise((resolve, reject) => {
    const asked = request(url, how);
    const late = setTimeout(() => asked.destroy(new HeraldError("ERR_UNREACHABLE")), CONNECT_MS);
    asked.once("close", () => clearTimeout(late));
    asked.once("error", reject);
    asked.once("response", (response) => {
      clearTimeout(late);
      asked.off("error", reject).on("error", () => response.destroy());
      resolve(response);
    });
    asked.end(body);
  });
}

async function receive(
  response: IncomingMessage,
  maxBytes: number,
  take: (piece: Buffer) => Promise<void>,
): Promise<void> {
  const idle = setTimeout(() => response.destroy(new HeraldError("ERR_UNREACHABLE")), IDLE_MS);
  try {
    if (response.statusCode !== 200) throw new HeraldError("ERR_STATUS");
    let length = 0;
    for await (const piece of response as AsyncIterable<Buffer>) {
      idle.refresh();
      length += piece.length;
      if (length > maxBytes) throw new HeraldError("ERR_TOO_LONG");
      await take(piece);
    }
    const promised = response.headers["content-length"];
    if (promised !== undefined && Number(promised) !== length) throw new HeraldError("ERR_STATUS");
  } finally {
    clearTimeout(idle);
    response.destroy();
  }
}
