/**
 * Pushes a model file through the tunnel: hashed here first, several pieces under way at once, and on from
 * where it was cut, in as many sessions as it takes.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MAX_PUSH_CHUNK_BYTES, type Model } from "@phantoma/protocol";
import { ClientError } from "./client-error.ts";
import { ControlSession } from "./control-session.ts";
import { isPassing, retryDelayMs } from "./retry.ts";
import type { TunnelOptions } from "./tunnel.ts";

/** Half of the streams of a session: enough for a long way, and other requests still have room. */
const PIECES_UNDER_WAY = 8;
/** A node that is away for about three minutes is gone; the push goes on when it is called again. */
const MAX_FAILURES = 20;
/** Read at once while hashing. */
const HASH_PIECE_BYTES = 1024 * 1024;

export interface PushProgress {
  readonly step: "hashing" | "pushing";
  readonly bytes: number;
  readonly of: number;
}

interface ProgressOptions {
  readonly onProgress?: (progress: PushProgress) => void;
  /** Gives up; what the node has it keeps. */
  readonly signal?: AbortSignal;
}

export interface PushOptions extends Omit<TunnelOptions, "model" | "signal">, ProgressOptions {
  /** The connection was lost; the push goes on when the node is there again. */
  readonly onLost?: (error: ClientError) => void;
}

/** A file that stays open, so that what is pushed is what was hashed, whatever takes its name meanwhile. */
export interface ModelFile extends Model {
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** @throws {@link ClientError} `ERR_MODEL_FILE` or `ERR_CANCELLED` */
export async function openModelFile(
  path: string,
  name: string = basename(path).replace(/\.gguf$/i, ""),
  options: ProgressOptions = {},
): Promise<ModelFile> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const found = await file.stat();
    if (!found.isFile() || found.size === 0)
      throw new ClientError("ERR_MODEL_FILE", `${path} is no file with content`);
    const digest = await hash(file, found.size, options);
    return modelFile(file, { name, digest, bytes: found.size });
  } catch (error) {
    await file?.close();
    if (error instanceof ClientError) throw error;
    throw new ClientError("ERR_MODEL_FILE", `${path} cannot be read: ${(error as Error).message}`);
  }
}

/**
 * Resolves when the node has stored the model.
 *
 * @throws {@link ClientError}; `ERR_CANCELLED` when the signal ended it
 */
export async function pushModel(file: ModelFile, options: PushOptions): Promise<void> {
  let reached = 0;
  for (let failures = 0; ; failures += 1) {
    let session: ControlSession | undefined;
    const giveUp = () => session?.close();
    options.signal?.addEventListener("abort", giveUp, { once: true });
    try {
      assertWanted(options.signal);
      session = await ControlSession.open(options);
      await pushOn(session, file, options, (bytes) => {
        // Bytes that arrive are a reason to be patient again.
        if (bytes > reached) failures = 0;
        reached = Math.max(reached, bytes);
      });
      return;
    } catch (error) {
      assertWanted(options.signal);
      if (!isPassing(error) || failures >= MAX_FAILURES) throw error;
      options.onLost?.(error as ClientError);
      await sleep(
        retryDelayMs(failures),
        undefined,
        options.signal && { signal: options.signal },
      ).catch(() => undefined);
    } finally {
      options.signal?.removeEventListener("abort", giveUp);
      session?.close();
    }
  }
}

async function pushOn(
  session: ControlSession,
  file: ModelFile,
  options: PushOptions,
  onStored: (bytes: number) => void,
): Promise<void> {
  const { digest, bytes } = file;
  let stored = await session.beginPush(file);
  let next = stored;
  let underWay: { readonly end: number; readonly answer: Promise<number> }[] = [];
  const say = () => {
    onStored(stored);
    options.onProgress?.({ step: "pushing", bytes: stored, of: bytes });
  };
  say();
  while (stored < bytes) {
    assertWanted(options.signal);
    while (next < bytes && underWay.length < PIECES_UNDER_WAY) {
      const piece = await file.read(next, Math.min(MAX_PUSH_CHUNK_BYTES, bytes - next));
      const answer = session.pushChunk(digest, next, piece);
      // Its failure is told when its turn comes.
      answer.catch(() => undefined);
      next += piece.length;
      underWay.push({ end: next, answer });
    }
    const { end, answer } = underWay.shift()!;
    const before = stored;
    stored = await answer;
    if (stored !== end) {
      // Another device pushes the same model: where the node is now is where we go on.
      for (const late of underWay) stored = await late.answer;
      underWay = [];
      next = stored;
      if (stored <= before)
        throw new ClientError("ERR_INVALID_MESSAGE", "the node takes nothing of the file");
    }
    say();
  }
}

async function hash(file: FileHandle, bytes: number, options: ProgressOptions): Promise<string> {
  const digest = createHash("sha256");
  const piece = Buffer.alloc(HASH_PIECE_BYTES);
  for (let offset = 0; offset < bytes;) {
    assertWanted(options.signal);
    const { bytesRead } = await file.read(piece, 0, piece.length, offset);
    if (bytesRead === 0) throw new ClientError("ERR_MODEL_FILE", "the file became shorter");
    digest.update(piece.subarray(0, bytesRead));
    offset += bytesRead;
    options.onProgress?.({ step: "hashing", bytes: offset, of: bytes });
  }
  return digest.digest("hex");
}

function modelFile(file: FileHandle, model: Model): ModelFile {
  return {
    ...model,
    async read(offset, length) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
      if (bytesRead === 0) throw new ClientError("ERR_MODEL_FILE", "the file became shorter");
      return buffer.subarray(0, bytesRead);
    },
    close: () => file.close(),
  };
}

function assertWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ClientError("ERR_CANCELLED", "it was cancelled");
}
