/**
 * All files of an order: one after the other, and one that the network failed again later, until the
 * window closes.
 *
 *   waiting ──try──> fetching ──all bytes──> fetched
 *                       └──passing failure──> fetching (later) ──window closes──> failed
 *                       └──any other failure──> failed, and nothing of it left
 *
 * @module
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FileProgress } from "../orders/progress.ts";
import { download, type Patience } from "./download.ts";
import type { FetchOrder, WantedFile } from "./order.ts";
import { TransferError } from "./transfer-error.ts";

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 10_000;

export interface FetchOptions {
  readonly order: FetchOrder;
  readonly dir: string;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  readonly onProgress: (files: readonly FileProgress[]) => void;
}

interface Job {
  readonly file: WantedFile;
  progress: FileProgress;
  failures: number;
  /** By `performance.now()`. */
  notBefore: number;
}

/** Resolves when no file is left to try. */
export async function fetchFiles(options: FetchOptions): Promise<readonly FileProgress[]> {
  const jobs = options.order.files.map((file): Job => {
    const { digest } = file;
    const progress = { digest, received: 0, state: "waiting", error: null } as const;
    return { file, progress, failures: 0, notBefore: 0 };
  });
  const say = () => options.onProgress(jobs.map(({ progress }) => progress));
  say();
  for (let job = next(jobs); job; job = next(jobs)) {
    const waitMs = Math.max(0, job.notBefore - performance.now());
    await sleep(waitMs, undefined, { signal: options.signal }).catch(() => undefined);
    await attempt(job, options, say);
    say();
  }
  return jobs.map(({ progress }) => progress);
}

/** The unfinished one whose turn comes first. */
function next(jobs: readonly Job[]): Job | undefined {
  return jobs
    .filter(({ progress: { state } }) => state === "waiting" || state === "fetching")
    .toSorted((a, b) => a.notBefore - b.notBefore)[0];
}

async function attempt(job: Job, options: FetchOptions, say: () => void): Promise<void> {
  const { file } = job;
  const path = join(options.dir, `${file.digest}.part`);
  const { order, patience, signal } = options;
  const onReceived = (received: number) => {
    // Bytes that come are a reason to be patient again; until then the last failure is what is known.
    const hasCome = received > job.progress.received;
    if (hasCome) job.failures = 0;
    const error = hasCome ? null : job.progress.error;
    job.progress = { ...job.progress, state: "fetching", received, error };
    say();
  };
  try {
    if (signal.aborted) throw new TransferError("ERR_WINDOW_CLOSED");
    await download({ file, order, path, patience, signal, onReceived });
    job.progress = { ...job.progress, state: "fetched", error: null };
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    if (error.isPassing) {
      job.notBefore = performance.now() + delayMs(job.failures);
      job.failures += 1;
      job.progress = { ...job.progress, state: "fetching", error: error.code };
      return;
    }
    // Why the last try failed tells more than that there was no time for another.
    const isOver = error.code === "ERR_WINDOW_CLOSED";
    const code = isOver ? (job.progress.error ?? error.code) : error.code;
    job.progress = { ...job.progress, state: "failed", error: code };
    await rm(path, { force: true });
  }
}

function delayMs(failures: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** failures, LAST_DELAY_MS);
}
