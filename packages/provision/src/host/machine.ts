/**
 * The server as the steps see it: its folders below a root that a test can move, and its programs.
 *
 * @module
 */
import { spawn } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { MAX_WHY_LENGTH } from "../journal.ts";
import { SETUP_DIR } from "../setup-dir.ts";

/** The set-up's own folder, 0700: bundle, order, journal, and what was before. */
export { SETUP_DIR };
export const INSTALL_DIR = "/opt/phantoma";
export const CURRENT_DIR = `${INSTALL_DIR}/current`;
export const STATE_DIR = "/var/lib/phantoma";

/** Folders that were not there before, a line each. */
const MADE_FILE = `${SETUP_DIR}/folders`;

/** A step could not be done; the message is a program's or ours, for people, and bounded. */
export class StepError extends Error {}

/** 64 KiB: what a program says of itself. */
const MAX_SAID_BYTES = 65_536;
/** Ten minutes: a release tests its engine, and GRUB looks at every kernel, on a slow machine. */
const PROGRAM_MS = 600_000;
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

export class Machine {
  readonly root: string;

  constructor(root = "/") {
    this.root = root;
  }

  /** PID 1 and the kernel are this root's. */
  get isLive(): boolean {
    return this.root === "/";
  }

  path(path: string): string {
    return join(this.root, path);
  }

  has(path: string): boolean {
    return existsSync(this.path(path));
  }

  /** `undefined` where there is no such file. */
  read(path: string): string | undefined {
    try {
      return readFileSync(this.path(path), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Whole and on the disk, or as it was. */
  write(path: string, text: string, mode = 0o644): void {
    const to = this.path(path);
    this.#makeFolder(dirname(path));
    rmSync(`${to}.new`, { force: true });
    const file = openSync(`${to}.new`, "wx", mode);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${to}.new`, to);
  }

  /** Folders that we made for our files and nobody else has put anything into, once our files are gone. */
  removeEmptyFolders(): void {
    for (const line of (this.read(MADE_FILE) ?? "").split("\n").filter(Boolean)) {
      const [deepest = "", top = ""] = line.split("\t");
      for (let dir = deepest; dir.startsWith(top) && isEmpty(this.path(dir)); dir = dirname(dir))
        rmdirSync(this.path(dir));
    }
  }

  /** What is made is written down: it is taken away again if it is empty then. */
  #makeFolder(dir: string): void {
    if (this.has(dir)) return;
    const top = mkdirSync(this.path(dir), { recursive: true, mode: 0o755 });
    if (top === undefined || dir.startsWith(SETUP_DIR)) return;
    const made = join("/", relative(this.root, top));
    mkdirSync(this.path(SETUP_DIR), { recursive: true, mode: 0o700 });
    appendFileSync(this.path(MADE_FILE), `${dir}\t${made}\n`, { flush: true });
  }

  /** A file of the kernel's, which is no file: written in one piece, and not replaced. */
  setKernelValue(path: string, value: string): void {
    writeFileSync(this.path(path), value);
  }

  /** A folder and what is in it. In the kernel's own there can be no name with a dot, and not even be asked for one. */
  removeFolder(path: string): void {
    rmSync(this.path(path), { recursive: true, force: true });
  }

  /** With the half of it that a cut may have left. */
  remove(path: string): void {
    for (const one of [this.path(path), `${this.path(path)}.new`])
      rmSync(one, { recursive: true, force: true });
  }

  /**
   * Runs a program to its end; a secret is neither among its arguments nor in its environment.
   *
   * @returns what it printed
   * @throws {@link StepError} with the last line that it said, where it ends badly
   */
  async run(program: string, ...args: string[]): Promise<string> {
    const { code, said, complained } = await this.end(program, args);
    if (code === 0) return said;
    throw new StepError(
      `${program.split("/").at(-1)}: ${lastLine(complained || said) || `ended with ${code}`}`,
    );
  }

  async succeeds(program: string, ...args: string[]): Promise<boolean> {
    return (await this.end(program, args)).code === 0;
  }

  /** How a program ended, and the last that it said. */
  end(program: string, args: readonly string[]) {
    const child = spawn(program, args, {
      cwd: "/",
      env: { PATH, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      signal: AbortSignal.timeout(PROGRAM_MS),
      killSignal: "SIGKILL",
    });
    const heard = { said: "", complained: "" };
    const hear = (name: keyof typeof heard) => (part: Buffer) => {
      heard[name] = (heard[name] + part.toString("utf8")).slice(-MAX_SAID_BYTES);
    };
    child.stdout.on("data", hear("said"));
    child.stderr.on("data", hear("complained"));
    return new Promise<{ code: number | null; said: string; complained: string }>(
      (resolve, reject) => {
        child.once("error", (error) => reject(new StepError(`${program}: ${error.message}`)));
        child.once("close", (code) => resolve({ code, ...heard }));
      },
    );
  }
}

function isEmpty(path: string): boolean {
  return existsSync(path) && readdirSync(path).length === 0;
}

function lastLine(text: string): string {
  return (text.trim().split("\n").at(-1) ?? "").slice(0, MAX_WHY_LENGTH / 2);
}
