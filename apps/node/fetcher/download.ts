/**
 * One try at one file: https to listed addresses, redirects to listed names, exactly the signed size.
 *
 * It resolves no name: a name's addresses are those of the order, and its certificate must be the name's.
 *
 * @module
 */
import { constants } from "node:fs";
import { open, stat, statfs, type FileHandle } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { dirname } from "node:path";
import { addressesFor, listed } from "../orders/signed-places.ts";
import type { FetchOrder, WantedFile } from "./order.ts";
import { TransferError, transferErrorOf } from "./transfer-error.ts";

/** A model host sends to its store, the store to a near copy; more is a loop. */
const MAX_REDIRECTS = 5;
/** Before another address of the same name is tried, in milliseconds: half the world is 300 away. */
const NEXT_ADDRESS_MS = 2_000;

export interface Patience {
  /** From the start of a request to its answer's head, in milliseconds. */
  readonly connectMs: number;
  /** Between two pieces of a file, in milliseconds. */
  readonly idleMs: number;
}

export interface Download {
  readonly file: WantedFile;
  readonly order: FetchOrder;
  /** What has come lies here, and the next try goes on behind it. */
  readonly path: string;
  readonly patience: Patience;
  /** The window closed. */
  readonly signal: AbortSignal;
  readonly onReceived: (bytes: number) => void;
}

/** Resolves when all bytes are there. @throws {@link TransferError} */
export async function download(options: Download): Promise<void> {
  let isSecure = false;
  try {
    const offset = await receivedBytes(options);
    options.onReceived(offset);
    if (offset === options.file.bytes) return;
    await assertRoom(options, offset);
    const response = await askFollowing(options, offset);
    isSecure = true;
    await receive(options, response, offset);
  } catch (error) {
    if (options.signal.aborted) throw new TransferError("ERR_WINDOW_CLOSED");
    throw transferErrorOf(error, isSecure);
  }
}

async function receivedBytes({ path, file }: Download): Promise<number> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  return size <= file.bytes ? size : 0;
}

async function assertRoom({ path, file }: Download, offset: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  if (bavail * bsize < file.bytes - offset) throw new TransferError("ERR_NO_SPACE");
}

async function askFollowing(options: Download, offset: number): Promise<IncomingMessage> {
  let { url } = options.file;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const response = await ask(options, url, offset);
    const { location } = response.headers;
    if (![301, 302, 303, 307, 308].includes(response.statusCode!)) return response;
    response.destroy();
    if (location === undefined || !URL.canParse(location, url.href))
      throw new TransferError("ERR_REDIRECT");
    url = new URL(location, url);
  }
  throw new TransferError("ERR_REDIRECT");
}

/** The head of the answer; its body waits. */
function ask(options: Download, url: URL, offset: number): Promise<IncomingMessage> {
  const addresses = addressesFor(options.order.places, url);
  if (!addresses) throw new TransferError("ERR_REDIRECT");
  const { signal, patience } = options;
  const how = {
    signal,
    agent: false,
    lookup: listed(addresses),
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    minVersion: "TLSv1.2",
    // Said here, so that no variable of the environment can say otherwise.
    rejectUnauthorized: true,
    headers: {
      "user-agent": "phantoma",
      // Compressed bytes would have another size and another digest.
      "accept-encoding": "identity",
      ...(offset > 0 ? { range: `bytes=${offset}-` } : {}),
    },
  } as const;
  return new Promise((resolve, reject) => {
    const asked = request(url, how);
    const late = setTimeout(
      () => asked.destroy(new TransferError("ERR_TIMEOUT", true)),
      patience.connectMs,
    );
    asked.once("close", () => clearTimeout(late));
    asked.once("error", reject);
    asked.once("response", (response) => {
      clearTimeout(late);
      // From here on errors are the body's.
      asked.off("error", reject).on("error", () => response.destroy());
      resolve(response);
    });
    asked.end();
  });
}

async function receive(
  { file, path, patience, onReceived }: Download,
  response: IncomingMessage,
  asked: number,
): Promise<void> {
  const offset = startOf(response, asked, file.bytes);
  const idle = setTimeout(
    () => response.destroy(new TransferError("ERR_TIMEOUT", true)),
    patience.idleMs,
  );
  let target: FileHandle | undefined;
  try {
    target = await open(path, offset > 0 ? APPEND : AFRESH, 0o600);
    // The keeper copies it, under another user.
    await target.chmod(0o644);
    let received = offset;
    for await (const piece of response as AsyncIterable<Buffer>) {
      idle.refresh();
      received += piece.length;
      if (received > file.bytes) throw new TransferError("ERR_TOO_LONG");
      await target.writeFile(piece);
      onReceived(received);
    }
    if (received < file.bytes) throw new TransferError("ERR_TOO_SHORT");
  } finally {
    clearTimeout(idle);
    response.destroy();
    await target?.close();
  }
}

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW;
const AFRESH = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** Where the body begins in the file; what its head promises must fit already. */
function startOf(response: IncomingMessage, asked: number, bytes: number): number {
  const { statusCode, headers } = response;
  // The host's own trouble, or too many at once: later it may answer.
  if (statusCode! >= 500 || statusCode === 429) throw new TransferError("ERR_STATUS", true);
  const isPart = statusCode === 206 && asked > 0;
  if (statusCode !== 200 && !isPart) throw new TransferError("ERR_STATUS");
  if ((headers["content-encoding"] ?? "identity") !== "identity")
    throw new TransferError("ERR_STATUS");
  if (isPart && !headers["content-range"]?.startsWith(`bytes ${asked}-`))
    throw new TransferError("ERR_STATUS");
  const offset = isPart ? asked : 0;
  const length = headers["content-length"];
  if (length !== undefined && offset + Number(length) !== bytes)
    throw new TransferError(offset + Number(length) > bytes ? "ERR_TOO_LONG" : "ERR_TOO_SHORT");
  return offset;
}
