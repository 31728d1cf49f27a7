/**
 * A set-up that runs on the server by itself, seen from here: started once, followed through its journal, found again
 * after the connection was cut.
 *
 * PID 1 runs it as a unit of its own, so it does not end with the session that started it, and there is never a second.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseEvent, type JournalEvent, type Wish, type Work } from "./journal.ts";
import { ProvisionError } from "./provision-error.ts";
import type { RootShell } from "./ssh/root-shell.ts";
import { SETUP_DIR } from "./setup-dir.ts";

const JOURNAL = `${SETUP_DIR}/journal`;
const UNIT = "phantoma-setup.service";
/** Taken out of the bundle to begin with: the release's own installer puts the whole of it in place. */
const STAGED = `${SETUP_DIR}/programs`;
const STAGED_FILES = [
  "package.json",
  "apps/node/package.json",
  "apps/node/provisioner/main.js",
  "apps/node/installer/main.js",
  "bin/node",
];

/** Bytes of a journal that are read at a time. */
const MAX_PIECE_BYTES = 65_536;
/** Bytes of a whole journal; a set-up has 30 lines, and this is a thousand of them. */
export const MAX_JOURNAL_BYTES = 1_048_576;
const POLL_MS = 1_000;
/** Milliseconds without an event: a release's own test on a slow machine takes a few minutes. */
const STALL_MS = 900_000;
const UNPACK_MS = 300_000;

/** Unpacks what the set-up needs to begin, once. */
export async function stage(shell: RootShell): Promise<void> {
  const script = `set -e; umask 022; [ -e ${STAGED}/ready ] && exit 0; rm -rf ${STAGED}; mkdir -p ${STAGED}
tar -xzf ${SETUP_DIR}/bundle.tar.gz -C ${STAGED} --no-same-owner ${STAGED_FILES.join(" ")}; touch ${STAGED}/ready`;
  const { code, stderr } = await shell.run(script, { timeoutMs: UNPACK_MS });
  if (code === 0) return;
  if (stderr.includes("No space left")) throw new ProvisionError("ERR_HOST_FULL");
  throw new ProvisionError("ERR_STEP_FAILED", { about: "unpacking" });
}

/** Names that mean themselves in a shell, and stay in the set-up's folder. */
const FILE_NAME = /^(?:[A-Za-z0-9][A-Za-z0-9._+-]*\/){0,2}[A-Za-z0-9][A-Za-z0-9._+-]*$/;

/** Puts a small file into the set-up's folder, whole. */
export async function put(shell: RootShell, name: string, content: Uint8Array): Promise<void> {
  if (!FILE_NAME.test(name)) throw new RangeError("a file cannot be called so");
  const script = `umask 077; mkdir -p ${SETUP_DIR} && cat > ${SETUP_DIR}/${name}.new && sync ${SETUP_DIR}/${name}.new && mv ${SETUP_DIR}/${name}.new ${SETUP_DIR}/${name}`;
  const { code } = await shell.run(script, { input: [content] });
  if (code !== 0) throw new ProvisionError("ERR_HOST_FULL");
}

/** `undefined` where there is none. */
export async function get(
  shell: RootShell,
  path: string,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const script = `[ -f ${path} ] || exit 3; head -c ${maxBytes + 1} ${path}`;
  const { code, stdout } = await shell.run(script, { maxOutputBytes: maxBytes });
  if (code === 3) return undefined;
  if (code !== 0) throw new ProvisionError("ERR_JOURNAL");
  return stdout;
}

export async function isRunning(shell: RootShell): Promise<boolean> {
  return isActive((await shell.run(STATE_OF_RUN)).stdout);
}

/** Prints one line, also where there is no systemd. */
const STATE_OF_RUN = `systemctl show -p ActiveState --value ${UNIT} 2>/dev/null || echo unknown`;
/** Bytes of that line. */
const MAX_STATE_BYTES = 64;

function isActive(untrusted: Buffer): boolean {
  return ["active", "activating", "deactivating"].includes(untrusted.toString("latin1").trim());
}

/** From the installed release where there is one: the staged programs are gone by then. */
async function startRun(shell: RootShell, what: Work): Promise<void> {
  const script = `programs=${STAGED}; [ -e $programs/ready ] || programs=/opt/phantoma/current
[ -x $programs/bin/node ] || exit 3
systemctl reset-failed ${UNIT} 2>/dev/null
exec systemd-run --quiet --collect --unit=${UNIT} --property=Type=exec --property=WorkingDirectory=/ \\
  $programs/bin/node $programs/apps/node/provisioner/main.js ${what}`;
  const { code } = await shell.run(script);
  if (code === 0) return;
  if (code === 3) throw new ProvisionError("ERR_NOT_INSTALLED");
  throw new ProvisionError((await isRunning(shell)) ? "ERR_HOST_BUSY" : "ERR_STEP_FAILED");
}

/** Ends what is being done there; a step that was cut is applied again by the next run. */
export async function stopRun(shell: RootShell): Promise<void> {
  const { code } = await shell.run(`systemctl stop ${UNIT} 2>/dev/null; true`);
  if (code !== 0 || (await isRunning(shell))) throw new ProvisionError("ERR_HOST_BUSY");
}

/** All that lies on a server on which no step was begun. */
export async function removeSetUpFolder(shell: RootShell): Promise<void> {
  await shell.run(`rm -rf ${SETUP_DIR}`);
}

/** What uninstalling would take away; the server's words. */
export async function listRemovals(shell: RootShell): Promise<readonly string[]> {
  const script = `programs=/opt/phantoma/current; [ -x $programs/bin/node ] || programs=${STAGED}
[ -x $programs/bin/node ] || exit 3
exec $programs/bin/node $programs/apps/node/provisioner/main.js list`;
  const { code, stdout } = await shell.run(script);
  if (code === 3) throw new ProvisionError("ERR_NOT_INSTALLED");
  if (code !== 0) throw new ProvisionError("ERR_JOURNAL");
  return stdout.toString("utf8").trim().split("\n");
}

/** How many bytes the journal has: what comes after them is of the next run. */
async function journalLength(shell: RootShell): Promise<number> {
  const { stdout } = await shell.run(`stat -c %s ${JOURNAL} 2>/dev/null || echo 0`);
  const text = stdout.toString("latin1").trim();
  if (!/^\d{1,9}$/.test(text)) throw new ProvisionError("ERR_JOURNAL");
  return Number(text);
}

/**
 * Starts a run, or finds the one that is under way, perhaps because the answer to a start was lost.
 *
 * @returns where in the journal it begins
 * @throws {@link ProvisionError} `ERR_HOST_BUSY`: something else is being done there
 */
export async function beginRun(shell: RootShell, what: Work): Promise<number> {
  if (!(await isRunning(shell))) {
    const length = await journalLength(shell);
    await startRun(shell, what);
    return length;
  }
  const text = (await get(shell, JOURNAL, MAX_JOURNAL_BYTES))?.toString("latin1") ?? "";
  const from = Math.max(0, text.lastIndexOf('{"kind":"began"'));
  if (!text.slice(from).startsWith(`{"kind":"began","what":"${what}"`))
    throw new ProvisionError("ERR_HOST_BUSY");
  return from;
}

/** What ends a run. */
export type End = "installed" | "uninstalled" | Wish | "interrupted";

/** A journal as it grows, and where in it the reader is: it may go on with another connection. */
export class JournalReader {
  #at: number;
  #half = "";
  #heardAt = Date.now();

  constructor(from: number) {
    this.#at = from;
  }

  /**
   * Reads until the run ends.
   *
   * @throws {@link ProvisionError} `ERR_STEP_FAILED`, `ERR_STEP_STALLED`, `ERR_JOURNAL`, or what the connection throws
   */
  async follow(
    shell: RootShell,
    hear: (event: JournalEvent) => void,
    signal?: AbortSignal,
  ): Promise<End> {
    for (;;) {
      stopIf(signal);
      const { wasRunning, events } = await this.#read(shell);
      for (const event of events ?? []) {
        hear(event);
        if (event.kind === "failed") throw failureOf(event);
        if (event.kind === "wants" || event.kind === "ended") return event.what;
      }
      if (events === undefined && !wasRunning) return "uninstalled";
      if (events?.length === 0 && !wasRunning) return "interrupted";
      if (Date.now() - this.#heardAt > STALL_MS) throw new ProvisionError("ERR_STEP_STALLED");
      await sleep(POLL_MS);
    }
  }

  /** What came since, `undefined` where the journal is gone; and whether it ran just before that was read. */
  async #read(
    shell: RootShell,
  ): Promise<{ wasRunning: boolean; events: readonly JournalEvent[] | undefined }> {
    const script = `${STATE_OF_RUN}; [ -f ${JOURNAL} ] || exit 3
tail -c +${this.#at + 1} ${JOURNAL} | head -c ${MAX_PIECE_BYTES}`;
    const { code, stdout } = await shell.run(script, {
      maxOutputBytes: MAX_PIECE_BYTES + MAX_STATE_BYTES,
    });
    // Its first line is PID 1's, the rest is the journal's.
    const end = stdout.indexOf("\n");
    const wasRunning = isActive(stdout.subarray(0, Math.max(0, end)));
    if (code === 3) return { wasRunning, events: undefined };
    if (code !== 0) throw new ProvisionError("ERR_JOURNAL");
    return { wasRunning, events: this.#take(stdout.subarray(end + 1)) };
  }

  #take(piece: Buffer): readonly JournalEvent[] {
    this.#at += piece.length;
    if (this.#at > MAX_JOURNAL_BYTES) throw new ProvisionError("ERR_JOURNAL");
    const lines = (this.#half + piece.toString("utf8")).split("\n");
    this.#half = lines.pop()!;
    if (piece.length > 0) this.#heardAt = Date.now();
    return lines.filter((line) => line !== "" && isWhole(line)).map(parseEvent);
  }
}

/** What runs on the server goes on: it is found again. @throws {@link ProvisionError} `ERR_CANCELLED` */
export function stopIf(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ProvisionError("ERR_CANCELLED");
}

/** A power cut may have left half a line, which nobody wrote on. */
function isWhole(line: string): boolean {
  return line.endsWith("}");
}

function failureOf({ step, why }: Extract<JournalEvent, { kind: "failed" }>): ProvisionError {
  const isFull = /ENOSPC|No space left/.test(why);
  return new ProvisionError(isFull ? "ERR_HOST_FULL" : "ERR_STEP_FAILED", {
    about: `${step}: ${why}`,
  });
}
