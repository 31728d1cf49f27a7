/**
 * The one file that this page is handing to its console, outside React: it goes on when a person looks
 * at another page, and only what shows it is drawn again.
 *
 * The browser's own chooser gave the page this file and no path. The console asks for one part after
 * the other, so neither of them ever holds more than two.
 *
 * @module
 */
import type { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import type { ConsoleError, PushEvent } from "../../ipc/contract.ts";
import { ask, bridge, consoleErrorOf, RequestRefused } from "../app/bridge.ts";
import { keys } from "../app/queries.ts";

export interface Upload {
  readonly node: string;
  readonly file: File;
  readonly name: string;
  readonly stage: "starting" | "hash" | "send" | "storing" | "stored" | "cancelled" | "failed";
  /** Bytes of this stage that are done. */
  readonly done: number;
  /** Where sending began, when the node had a part already. */
  readonly resumedAt: number;
  readonly error: ConsoleError | null;
  /** Once it is stored. */
  readonly digest?: string;
}

let upload: Upload | undefined;
let close: (() => void) | undefined;
/** Tells a stream of before, which is heard to its end, from the one of now. */
let run = 0;
const listeners = new Set<() => void>();

export const useUpload = () => useSyncExternalStore(listen, () => upload);

export const isUploading = ({ stage }: Upload) =>
  stage === "starting" || stage === "hash" || stage === "send" || stage === "storing";

/** Begins, or goes on where the node's part of the same file ends. */
export function startUpload(client: QueryClient, node: string, file: File): void {
  if (upload && isUploading(upload)) return;
  const name = file.name.replace(/\.gguf$/i, "") || file.name;
  const ours = ++run;
  upload = { node, file, name, stage: "starting", done: 0, resumedAt: 0, error: null };
  tell();
  const isOver = () => ours !== run || !upload || !isUploading(upload);
  const fail = (error: ConsoleError) => {
    if (isOver()) return;
    change({ stage: "failed", error });
    close?.();
  };
  const onEvent = (event: PushEvent) => {
    if (isOver()) return;
    if (event.type === "error") return fail(event.error);
    if (event.type === "stored") {
      change({ stage: "stored", done: file.size, digest: event.model.digest });
      void client.invalidateQueries({ queryKey: keys.status(node) });
      return;
    }
    const { push, stage, offset, length } = event;
    const isFirst = stage === "send" && upload?.stage !== "send";
    change({ stage, done: offset, ...(isFirst ? { resumedAt: offset } : {}) });
    void handOver(file, push, offset, length).then(
      () => {
        if (!isOver() && stage === "send" && offset + length === file.size)
          change({ stage: "storing", done: file.size });
      },
      (thrown: unknown) => fail(consoleErrorOf(thrown)),
    );
  };
  close = bridge.openStream("models.push", { node, name, bytes: file.size }, onEvent, () =>
    fail({ code: "ERR_PUSH_ENDED", message: "sending ended before its end", action: "" }),
  );
}

export function cancelUpload(): void {
  if (!upload || !isUploading(upload)) return;
  change({ stage: "cancelled" });
  close?.();
}

export function dismissUpload(): void {
  upload = undefined;
  tell();
}

/** A model that was removed is no longer said to be there. */
export function forgetStored(digest: string): void {
  if (upload?.digest === digest) dismissUpload();
}

/** @throws {@link RequestRefused} */
async function handOver(file: File, push: string, offset: number, length: number): Promise<void> {
  const bytes = await readPart(file, offset, length);
  await ask("models.part", { push, part: bytes.toBase64() });
}

async function readPart(file: File, offset: number, length: number): Promise<Uint8Array> {
  try {
    const bytes = new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
    if (bytes.length === length) return bytes;
  } catch {
    // Told below: a file that shrank and one that is gone are the same to a person.
  }
  const error = {
    code: "ERR_FILE_UNREADABLE",
    message: "the file has changed",
    action: "",
  } as const;
  throw new RequestRefused(error);
}

function change(next: Partial<Upload>): void {
  if (!upload) return;
  const isSameStage = (next.stage ?? upload.stage) === upload.stage;
  upload = { ...upload, ...next };
  // A fast disk brings hundreds of parts a second.
  if (isSameStage && Date.now() - toldAt < TELL_MS) return;
  tell();
}

/** Between two drawings of the same stage, in milliseconds. */
const TELL_MS = 100;
let toldAt = 0;

function tell(): void {
  toldAt = Date.now();
  for (const listener of listeners) listener();
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
