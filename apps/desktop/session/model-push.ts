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
import type { ModelFile } from "@phantoma/client";
import { MAX_PART_BYTES, type PushEvent } from "../ipc/models.ts";
import { DesktopError } from "./desktop-error.ts";

/** A page reads a part from its disk in far less; a page that is gone never does. */
const PART_TIMEOUT_MS = 60_000;

/** Every GGUF file begins so. */
const MAGIC = Buffer.from("GGUF");

interface Wanted {
  readonly push: string;
  readonly length: number;
  readonly part: PromiseWithResolvers<Buffer>;
}

/** Sends a file to a node, over as many connections as it takes. */
export type PushFile = (file: ModelFile) => Promise<void>;

export interface PushOptions {
  readonly name: string;
  readonly bytes: number;
  readonly send: (event: PushEvent) => void;
  readonly signal: AbortSignal;
  readonly pushFile: PushFile;
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

  async #run({ name, bytes, send, signal, pushFile }: PushOptions): Promise<void> {
    const push = randomBytes(8).toString("hex");
    const want = (stage: "hash" | "send", offset: number) => {
      const length = Math.min(MAX_PART_BYTES, bytes - offset);
      return this.#want({ type: "want", push, stage, offset, length }, send, signal);
    };
    const digest = await digestOf(bytes, (offset) => want("hash", offset));
    const model = { name, digest, bytes };
    const read = readingParts((offset) => want("send", offset));
    await pushFile({ ...model, read, close: async () => undefined });
    send({ type: "stored", model });
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

/** Small pieces of large parts; whoever reads goes forward, and seldom back. */
function readingParts(want: (offset: number) => Promise<Buffer>): ModelFile["read"] {
  let part: Buffer = Buffer.alloc(0);
  let begin = 0;
  return async (offset, length) => {
    if (offset < begin || offset >= begin + part.length) {
      part = await want(offset);
      begin = offset;
    }
    // May be shorter than asked for at a part's end.
    return part.subarray(offset - begin, offset - begin + length);
  };
}
