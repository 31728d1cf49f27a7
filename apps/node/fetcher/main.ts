/**
 * The fetcher process: gets the files of the open window into the quarantine, and is gone with it.
 *
 *   main.ts --state DIR [--connect-ms N] [--idle-ms N]
 *
 * It has no key and no prompt, resolves no name and is asked nothing: the order's file starts it, and its
 * absence ends it. Whom it may reach is the kernel's decision. Certificates are judged by Node's own list
 * of authorities and those of NODE_EXTRA_CA_CERTS.
 *
 * @module
 */
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { openLog } from "../log/log.ts";
import { writeProgress, type FileProgress } from "../orders/progress.ts";
import { ORDER_FILE, statePaths } from "../setup/paths.ts";
import { fetchFiles } from "./fetch-files.ts";
import { readOrder } from "./order.ts";

/** How soon a window that was closed early is noticed. */
const POLL_MS = 250;
/** Between two lines of progress: a person reads them. */
const PROGRESS_MS = 250;
/** After the deadline, for a keeper that still stores what came; then nobody wants it. */
const STORING_MS = 10 * 60_000;

const milliseconds = z.coerce.number().int().min(1);
const flags = z
  .strictObject({ state: z.string(), "connect-ms": milliseconds, "idle-ms": milliseconds })
  .parse(
    parseArgs({
      options: {
        state: { type: "string" },
        "connect-ms": { type: "string", default: "15000" },
        "idle-ms": { type: "string", default: "30000" },
      },
    }).values,
  );

const log = openLog("fetcher");
const { devicesDir, ordersDir, quarantineDir } = statePaths(flags.state);
const orderPath = join(ordersDir, ORDER_FILE);
for (const signal of ["SIGTERM", "SIGINT", "disconnect"] as const) process.on(signal, leave);

/** Which file that is: another window's order may take its place at any time. */
const ownOrder = orderFile();
const order = readOrder(orderPath, devicesDir);
clear((name) => order.files.some(({ digest }) => name === `${digest}.part`));

const closing = new AbortController();
const deadline = setTimeout(() => closing.abort(), Math.max(0, order.notAfter - Date.now()));
const watch = setInterval(() => {
  if (isOver()) closing.abort();
}, POLL_MS);

log("fetching", { count: order.files.length });
const outcome = await fetchFiles({
  order,
  dir: quarantineDir,
  patience: { connectMs: flags["connect-ms"], idleMs: flags["idle-ms"] },
  signal: closing.signal,
  onProgress: sparingly((files) => writeProgress(quarantineDir, order.counter, files)),
});
clearTimeout(deadline);
clearInterval(watch);
writeProgress(quarantineDir, order.counter, outcome);
for (const { digest, error } of outcome)
  log(error ? "not-fetched" : "fetched", {
    model: digest.slice(0, 8),
    ...(error && { code: error }),
  });

// The keeper takes the order away when it has stored what it wants.
const latest = order.notAfter + STORING_MS;
while (!isOver() && Date.now() < latest) await sleep(POLL_MS);
leave();

function leave(): never {
  if (!existsSync(orderPath)) clear(() => false);
  process.exit(0);
}

function isOver(): boolean {
  return orderFile() !== ownOrder;
}

/** Inodes are used again, so their time counts as well. */
function orderFile(): string | undefined {
  const stat = statSync(orderPath, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.ino}-${stat.mtimeNs}`;
}

/** What another window left, or a process that was killed. */
function clear(isKept: (name: string) => boolean): void {
  for (const name of readdirSync(quarantineDir))
    if (!isKept(name)) rmSync(join(quarantineDir, name), { recursive: true, force: true });
}

/** At most one line each {@link PROGRESS_MS}, and never the last one lost: that is written at the end. */
function sparingly(
  write: (files: readonly FileProgress[]) => void,
): (files: readonly FileProgress[]) => void {
  let last = -Infinity;
  return (files) => {
    if (performance.now() - last < PROGRESS_MS) return;
    last = performance.now();
    write(files);
  };
}
