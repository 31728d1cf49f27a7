/**
 * A piece of this machine to try root's steps in: mount and network namespaces of its own, in which folders that the steps
 * write lie in memory. Programs are the machine's, and what they do is gone with it.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Machine } from "./machine.ts";

/** Why this machine cannot make one; `undefined` where it can. */
export function noNamespace(...programs: readonly string[]): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  const missing = ["/usr/bin/unshare", "/usr/bin/nsenter", ...programs].filter(
    (path) => !existsSync(path),
  );
  return missing.length > 0 ? `needs ${missing.join(", ")}` : undefined;
}

export class OwnNamespace extends Machine {
  readonly #child: ChildProcess;
  /** Arguments of nsenter. */
  readonly enter: readonly string[];

  /** @param folders whose content is kept, and may be changed */
  static async make<T extends OwnNamespace>(
    this: new (child: ChildProcess) => T,
    folders: readonly string[] = [],
  ): Promise<T> {
    const copies = folders.map(
      (dir) =>
        `mkdir -p "/srv${dir}" && cp -a ${dir}/. "/srv${dir}" && mount --bind "/srv${dir}" ${dir}`,
    );
    const script = [
      "mount -t tmpfs tmpfs /srv",
      "mount -t tmpfs tmpfs /var/lib && mkdir -p /run && mount -t tmpfs tmpfs /run",
      ...copies,
      "mkdir -p /srv/system && mount --bind /srv/system /etc/systemd/system",
      "ip link set lo up",
      "exec sleep infinity",
    ].join(" && ");
    const child = spawn("unshare", ["--mount", "--net", "sh", "-c", script], { stdio: "inherit" });
    for (let tries = 0; nameOf(child.pid!) !== "sleep"; tries += 1) {
      if (child.exitCode !== null || tries > 500) throw new Error("no namespace was made");
      await sleep(20);
    }
    return new this(child);
  }

  constructor(child: ChildProcess) {
    super(`/proc/${child.pid}/root`);
    this.#child = child;
    this.enter = [`--target=${child.pid}`, "--mount", "--net", "--"];
  }

  override get isLive(): boolean {
    return true;
  }

  override end(program: string, args: readonly string[]) {
    return super.end("nsenter", [...this.enter, program, ...args]);
  }

  /** For what a test prepares and looks at. */
  sh(script: string): string {
    return execFileSync("nsenter", [...this.enter, "sh", "-ec", script], { encoding: "utf8" });
  }

  /** A program that runs on in there. */
  start(...command: string[]): ChildProcess {
    return spawn("nsenter", [...this.enter, ...command], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}
