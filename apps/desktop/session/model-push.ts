/**
 * Sends a file that a person chose in the page: the page holds the file, the node gets the bytes, and
 * between them this console never holds more than two parts.
 *
 *   want(hash) ──part──> … ──> digest ──> want(send), from where the node's bytes end ──part──> … ──> stored
 *
 * The page is asked for each part and cannot press any on: what was not wanted is refused.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { ClientError, isPassing, retryDelayMs } from "@phantoma/client";
import { setTimeout as sleep } from "node:timers/promises";
import { MAX_PART_BYTES, type PushEvent } from "../ipc/models.ts";
import { DesktopError } from "./desktop-error.ts";
import type { LiveControl } from "./node-client.ts";

/** What the protocol admits in one message, in bytes. */
const CHUNK_BYTES = 45_000;

/** Chunks under way together: a part in two goes, and fewer than a session's streams. */
const CHUNKS_AHEAD = 11;

/** A page reads a part from its disk in far less; a page that is gone never does. */
const PART_TIMEOUT_MS = 60_000;

/** Attempts to go on after the connection broke without a byte in between. */
const ATTEMPTS = 4;

/** Every GGUF file begins so. */
const MAGIC = Buffer.from("GGUF");

interface Wanted {
  readonly push: string;
  readonly length: number;
  readonly part: PromiseWithResolvers<Buffer>;
}

export interface PushOptions {
  readonly name: string;
  readonly bytes: number;
  readonly send: (event: PushEvent) => void;
  readonly signal: AbortSignal;
  /** Opens a control session for the question. */
  readonly ask: <T>(question: (control: LiveControl) => Promise<T>) => Promise<T>;
}

export class ModelPush {
  #wanted: Wanted | undefined;
  #isRunning = false;

  /** The page hands over what is wanted. @throws {@link DesktopError} `ERR_PUSH_ENDED`, `ERR_VALIDATION` */
  handOver(push: string, part: string): void {
    const wanted = this.#wanted;
    if (wanted?.push !== push) throw new DesktopError("ERR_PUSH_ENDED", "no part is wanted now");
    const bytes = Buffer.from(part, "base64");
    if (bytes.length !== wanted.length)
      throw new DesktopError("ERR_VALIDATION", `the part has ${bytes.length} bytes`);
    this.#wanted = undefined;
    wanted.part.resolve(bytes);
  }

  /** @throws {@link DesktopError} and {@link ClientError} */
  async run(options: PushOptions): Promise<void> {
    if (this.#isRunning) throw new DesktopError("ERR_PUSHING", "another file is being sent");
    this.#isRunning = true;
    try {
      await this.#run(options);
    } finally {
      this.#isRunning = false;
      this.#wanted = undefined;
    }
  }

  async #run({ name, bytes, send, signal, ask }: PushOptions): Promise<void> {
    const push = randomBytes(8).toString("hex");
    const want = (stage: "hash" | "send", offset: number) => {
      const length = Math.min(MAX_PART_BYTES, bytes - offset);
      return this.#want({ type: "want", push, stage, offset, length }, send, signal);
    };
    const digest = await digestOf(bytes, (offset) => want("hash", offset));
    const model = { name, digest, bytes };
    let through = 0;
    for (let failures = 0; ; failures += 1) {
      try {
        await ask(async (control) => {
          let offset = await control.pushModel(model);
          while (offset < bytes) {
            const part = await want("send", offset);
            offset = await sendPart(control, digest, offset, part);
            if (offset > through) failures = 0;
            through = offset;
          }
        });
        return send({ type: "stored", model });
      } catch (error) {
        if (signal.aborted || !isPassing(error) || failures + 1 >= ATTEMPTS) throw error;
        await sleep(retryDelayMs(failures));
      }
    }
  }

  /** Asks the page for one part. */
  async #want(
    event: Extract<PushEvent, { type: "want" }>,
    send: (event: PushEvent) => void,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const part = Promise.withResolvers<Buffer>();
    const giveUp = () => part.reject(new DesktopError("ERR_PUSH_ENDED", "the page gave no part"));
    const timer = setTimeout(giveUp, PART_TIMEOUT_MS);
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    this.#wanted = { push: event.push, length: event.length, part };
    send(event);
    try {
      return await part.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    }
  }
}

async function digestOf(bytes: number, read: (offset: number) => Promise<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for (let offset = 0; offset < bytes;) {
    const part = await read(offset);
    if (offset === 0 && !part.subarray(0, MAGIC.length).equals(MAGIC)) break;
    hash.update(part);
    offset += part.length;
    if (offset === bytes) return hash.digest("hex");
  }
  throw new DesktopError("ERR_NOT_GGUF", "the file does not begin with GGUF");
}

/** @returns where the node's bytes end now */
async function sendPart(
  control: LiveControl,
  digest: string,
  offset: number,
  part: Buffer,
): Promise<number> {
  let end = offset;
  for (let at = 0; at < part.length; at += CHUNK_BYTES * CHUNKS_AHEAD) {
    const chunks = [];
    const until = Math.min(part.length, at + CHUNK_BYTES * CHUNKS_AHEAD);
    for (let start = at; start < until; start += CHUNK_BYTES) {
      const chunk = part.subarray(start, Math.min(until, start + CHUNK_BYTES));
      chunks.push(control.pushChunk(digest, offset + start, chunk));
    }
    const ends = await Promise.all(chunks);
    end = ends.at(-1)!;
    if (end !== offset + until)
      throw new ClientError("ERR_CONNECTION_LOST", "the node has other bytes than were sent");
  }
  return end;
}
