/**
 * A child process that speaks in lines, and is ended by its own pid.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Longer than anything here needs to begin; what is not ready by then never will be. */
const READY_MS = 60_000;
/** Between asking a child to end and making it. */
const END_MS = 5_000;

export class LineProcess {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #name: string;
  #complaint = "";
  #isReady = false;
  readonly #readyOrGone = Promise.withResolvers<void>();
  readonly #closed: Promise<unknown>;

  constructor(file: string, args: readonly string[]) {
    this.#name = `${file} ${args.slice(0, 3).join(" ")}`;
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#closed = once(this.#child, "close");
    this.#child.stdin?.on("error", () => {});
    this.#child.on("error", (error) => (this.#complaint += error.message));
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      if (line === "ready" && !this.#isReady) {
        this.#isReady = true;
        this.#readyOrGone.resolve();
      } else this.lines.push(line);
    });
    this.#child.stderr!.on("data", (part: Buffer) => (this.#complaint += part.toString("utf8")));
    void this.#closed.then(() => this.#readyOrGone.resolve());
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it wrote to its standard error. */
  get complaint(): string {
    return this.#complaint;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  async ready(): Promise<this> {
    const timer = setTimeout(() => this.#readyOrGone.resolve(), READY_MS);
    await this.#readyOrGone.promise;
    clearTimeout(timer);
    if (!this.#isReady) {
      this.#child.kill("SIGKILL");
      throw new Error(`${this.#name} did not become ready: ${this.#complaint.trim()}`);
    }
    return this;
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Closes its input and waits for it to finish by itself. */
  async finish(): Promise<readonly string[]> {
    this.#child.stdin?.end();
    await this.#closed;
    return this.lines;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), END_MS);
    this.#child.kill("SIGTERM");
    await this.#closed;
    clearTimeout(timer);
  }
}
