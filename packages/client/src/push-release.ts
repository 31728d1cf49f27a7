/**
 * Pushes a release through the tunnel to a node that fetches none: file by file, each going on where it was cut.
 *
 * @module
 */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { MAX_PUSH_CHUNK_BYTES } from "@phantoma/protocol";
import { ClientError } from "./client-error.ts";
import type { ControlSession } from "./control-session.ts";

/** Half of the streams of a session. */
const PIECES_UNDER_WAY = 8;

interface ReleasePushOptions {
  readonly onProgress?: (bytes: number, of: number) => void;
}

/**
 * @param dir has `metadata/` and `targets/`
 * @param paths below it, in the order in which they go
 * @throws {@link ClientError}; what arrived is kept, so that another try goes on
 */
export async function pushRelease(
  session: Pick<ControlSession, "beginUpdatePush" | "pushUpdateChunk">,
  dir: string,
  paths: readonly string[],
  options: ReleasePushOptions = {},
): Promise<void> {
  for (const path of paths) await pushFile(session, join(dir, path), path, options);
}

async function pushFile(
  session: Pick<ControlSession, "beginUpdatePush" | "pushUpdateChunk">,
  file: string,
  path: string,
  { onProgress }: ReleasePushOptions,
): Promise<void> {
  await using source = await open(file);
  const { size } = await source.stat();
  let next = await session.beginUpdatePush(path, size);
  const underWay: Promise<number>[] = [];
  while (next < size || underWay.length > 0) {
    while (next < size && underWay.length < PIECES_UNDER_WAY) {
      const wanted = Math.min(MAX_PUSH_CHUNK_BYTES, size - next);
      const { buffer, bytesRead } = await source.read(Buffer.alloc(wanted), 0, wanted, next);
      if (bytesRead === 0) throw new ClientError("ERR_MODEL_FILE", `${file} became shorter`);
      const answer = session.pushUpdateChunk(path, next, buffer.subarray(0, bytesRead));
      // Its failure is told when its turn comes.
      answer.catch(() => undefined);
      underWay.push(answer);
      next += bytesRead;
    }
    const stored = await underWay.shift();
    if (stored !== undefined) onProgress?.(stored, size);
  }
}
