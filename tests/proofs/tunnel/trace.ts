/**
 * What a node leaves to see: its log, its processes' arguments and environment, its files.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { processesOf } from "../../node-under-test.ts";
import type { Stage } from "./stage.ts";

export class Trace {
  /** Said in every honest prompt. */
  readonly canary: string;
  readonly #isEcho: boolean;
  readonly #secrets = new Map<string, string>();
  readonly #log: string[] = [];
  readonly #stages: Stage[] = [];
  /** Arguments and environment of every process seen, by pid. */
  readonly #processes = new Map<number, string>();
  readonly #watching: NodeJS.Timeout;
  readonly #write = process.stderr.write.bind(process.stderr);

  constructor(canary: string, isEcho: boolean) {
    this.canary = canary;
    this.#isEcho = isEcho;
    this.addSecret("a word of a prompt", canary);
    // A verbose node hands its log on to our standard error.
    process.stderr.write = (text: string | Uint8Array) => {
      this.#log.push(text.toString());
      return this.#isEcho ? this.#write(text) : true;
    };
    this.#watching = setInterval(() => this.#lookAtProcesses(), WATCH_MS);
  }

  watch(stage: Stage): void {
    this.#stages.push(stage);
    for (const part of [stage.device.signing.privateKey, stage.device.tunnel.privateKey])
      this.addSecretBytes("a device's key", part.export({ format: "der", type: "pkcs8" }));
    const nodeKey = readFileSync(join(stage.dir, "state/keeper/node.key"));
    this.addSecretBytes("the node's key", nodeKey);
  }

  addSecret(name: string, text: string): void {
    this.#secrets.set(text, name);
  }

  /** The last 32 bytes tell a key or a document from all others. */
  addSecretBytes(name: string, bytes: Uint8Array): void {
    const end = Buffer.from(bytes).subarray(-32);
    this.addSecret(`${name} in hex`, end.toString("hex"));
    // Base64 of a longer text has another alignment; whole documents are looked for as they travel.
    this.addSecret(`${name} in base64url`, Buffer.from(bytes).toString("base64url"));
  }

  get logLines(): readonly string[] {
    return this.#log.flatMap((part) => part.split("\n")).filter((line) => line !== "");
  }

  get processCount(): number {
    return this.#processes.size;
  }

  /** @returns the names of secrets that the node's log holds */
  inLog(): string[] {
    return this.found(this.#log.join(""));
  }

  inProcesses(): string[] {
    return this.found([...this.#processes.values()].join("\n"));
  }

  /** Whether any process showed `text`, for the control of {@link inProcesses}. */
  processesShow(text: string): boolean {
    return [...this.#processes.values()].some((shown) => shown.includes(text));
  }

  /** @returns paths under `dir` of files that hold `needle` */
  filesWith(dir: string, needle: Buffer | string): string[] {
    return filesUnder(dir).filter((path) => readFileSync(path).includes(needle));
  }

  /** Those of the processes seen that still live. */
  survivors(): number[] {
    return [...this.#processes.keys()].filter((pid) => isOurs(pid));
  }

  found(text: string): string[] {
    return [...this.#secrets].filter(([secret]) => text.includes(secret)).map(([, name]) => name);
  }

  close(): void {
    clearInterval(this.#watching);
    process.stderr.write = this.#write;
  }

  #lookAtProcesses(): void {
    for (const { node } of this.#stages)
      for (const { pid } of processesOf(node))
        if (!this.#processes.has(pid)) this.#processes.set(pid, shown(pid));
  }
}

const WATCH_MS = 400;

function shown(pid: number): string {
  try {
    const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, "latin1");
    return `${read("cmdline")}\n${read("environ")}`;
  } catch {
    return "";
  }
}

/** A pid may have been given to somebody else since. */
function isOurs(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && /apps\/node\/\w+\/main/.test(shown(pid));
}

function filesUnder(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((name) => join(dir, name))
    .filter((path) => existsSync(path) && statSync(path).isFile());
}
