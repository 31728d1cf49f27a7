/**
 * A bundle on this machine, verified by whoever names it, on its way to a server: in pieces, from where the last attempt
 * ended, and compared by digest when it is whole.
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { ProvisionError } from "./provision-error.ts";
import type { RootShell } from "./ssh/root-shell.ts";
import { SETUP_DIR } from "./setup-dir.ts";

export interface BundleFile {
  readonly path: string;
  readonly size: number;
  /** In hex; what the verifier found. */
  readonly sha256: string;
}

export type OnProgress = (sent: number, of: number) => void;

const WHOLE = `${SETUP_DIR}/bundle.tar.gz`;
const PART = `${SETUP_DIR}/bundle.part`;
/** Four hours: 100 MB over a line of 8 KB/s. */
const UPLOAD_MS = 14_400_000;
/** A minute per 10 MB is a slow disk's time to read a gigabyte, in milliseconds. */
const HASH_MS = 600_000;

/** @throws {@link ProvisionError} `ERR_BUNDLE_DAMAGED`, `ERR_HOST_FULL`, or what the connection throws */
export async function upload(
  shell: RootShell,
  bundle: BundleFile,
  onProgress: OnProgress = () => undefined,
): Promise<void> {
  const there = await lengthThere(shell);
  if (there === "whole" && (await isSame(shell, WHOLE, bundle)))
    return onProgress(bundle.size, bundle.size);
  // What is there may be of another release, or damaged: then all of it is sent again, once.
  const from = typeof there === "number" && there <= bundle.size ? there : 0;
  for (const start of from > 0 ? [from, 0] : [0]) {
    await send(shell, bundle, start, onProgress);
    if (!(await isSame(shell, PART, bundle))) continue;
    await done(shell, `mv ${PART} ${WHOLE}`);
    return;
  }
  await done(shell, `rm -f ${PART}`);
  throw new ProvisionError("ERR_BUNDLE_DAMAGED");
}

/** How much of a bundle lies on the server. */
async function lengthThere(shell: RootShell): Promise<number | "whole"> {
  const script = `mkdir -p -m 700 ${SETUP_DIR}; if [ -f ${WHOLE} ]; then echo whole; else stat -c %s ${PART} 2>/dev/null || echo 0; fi`;
  const text = await done(shell, script);
  if (text === "whole") return text;
  if (!/^\d{1,12}$/.test(text))
    throw new ProvisionError("ERR_FACTS", { about: "the bundle's length" });
  return Number(text);
}

async function send(
  shell: RootShell,
  { path, size }: BundleFile,
  start: number,
  onProgress: OnProgress,
): Promise<void> {
  const input = (async function* () {
    if (start >= size) return;
    let sent = start;
    for await (const part of createReadStream(path, { start })) {
      yield part as Buffer;
      onProgress((sent += (part as Buffer).length), size);
    }
  })();
  // From its start, or after what is there.
  const script = `umask 077; ${start === 0 ? `rm -f ${PART} ${WHOLE}; ` : ""}cat >> ${PART}`;
  const { code, stderr } = await shell.run(script, { input, timeoutMs: UPLOAD_MS });
  if (code === 0) return;
  throw new ProvisionError(
    stderr.includes("No space left") ? "ERR_HOST_FULL" : "ERR_BUNDLE_DAMAGED",
  );
}

async function isSame(shell: RootShell, path: string, { sha256 }: BundleFile): Promise<boolean> {
  const text = await done(shell, `sha256sum < ${path} | cut -c1-64`, HASH_MS);
  return text === sha256;
}

async function done(shell: RootShell, script: string, timeoutMs?: number): Promise<string> {
  const { code, stdout } = await shell.run(script, timeoutMs === undefined ? {} : { timeoutMs });
  if (code !== 0) throw new ProvisionError("ERR_STEP_FAILED", { about: "the upload" });
  return stdout.toString("latin1").trim();
}
