/**
 * ssh into the guest as root, with the key that was made for this image, over one shared connection.
 *
 * @module
 */
import { execFile, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";

export interface Output {
  /** 255 when there was no connection. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Enough for the output of any command a test runs, in bytes. */
const MAX_OUTPUT_BYTES = 64 * 1024 ** 2;

export class GuestShell {
  readonly #imageDir: string;
  readonly #controlPath: string;
  readonly #port: () => number;

  /**
   * @param imageDir has the key and the guest's host key
   * @param dir for the shared connection
   * @param port of this machine that leads to the guest's ssh
   */
  constructor(imageDir: string, dir: string, port: () => number) {
    this.#imageDir = imageDir;
    this.#controlPath = join(dir, "ssh.sock");
    this.#port = port;
  }

  /** For people. */
  get commandLine(): string {
    return ["ssh", ...this.#arguments()].join(" ");
  }

  /** @param hear is told each line of standard error as it comes */
  run(
    command: string,
    input: string | Buffer = "",
    hear?: (line: string) => void,
  ): Promise<Output> {
    return new Promise((resolve) => {
      const child = execFile(
        "ssh",
        [...this.#arguments(), command],
        { maxBuffer: MAX_OUTPUT_BYTES },
        (_error, stdout, stderr) => resolve({ code: child.exitCode ?? 255, stdout, stderr }),
      );
      if (hear) createInterface({ input: child.stderr! }).on("line", hear);
      child.stdin!.on("error", () => child.stdin!.destroy());
      child.stdin!.end(input);
    });
  }

  /** Packed as for a slow line, which this is. */
  async copyFolder(dir: string, guestDir: string): Promise<void> {
    const pack = ["-c", "--owner=0", "--group=0", "-I", "gzip -1", "-C", dir, "."];
    const tar = spawn("tar", pack, { stdio: ["ignore", "pipe", "inherit"] });
    const unpack = `mkdir -p ${guestDir} && tar -xz -C ${guestDir}`;
    const ssh = spawn("ssh", [...this.#arguments(), unpack], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    const codes = [tar, ssh].map(
      (child) => new Promise<number | null>((resolve) => child.once("close", resolve)),
    );
    await pipeline(tar.stdout, ssh.stdin);
    for (const code of await Promise.all(codes))
      if (code !== 0) throw new Error(`copying into ${guestDir} ended with ${code}`);
  }

  /** Forgets the shared connection: the next command makes a new one. */
  hangUp(): void {
    rmSync(this.#controlPath, { force: true });
  }

  #arguments(): string[] {
    const options = {
      IdentityFile: join(this.#imageDir, "ssh_key"),
      IdentitiesOnly: "yes",
      UserKnownHostsFile: join(this.#imageDir, "known_hosts"),
      HostKeyAlias: "vps",
      StrictHostKeyChecking: "yes",
      BatchMode: "yes",
      LogLevel: "ERROR",
      ConnectTimeout: "10",
      // Ten minutes: a busy emulated processor may be silent for long, a guest that died is silent for ever.
      ServerAliveInterval: "15",
      ServerAliveCountMax: "40",
      ControlMaster: "auto",
      ControlPath: this.#controlPath,
      ControlPersist: "60",
    };
    const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    return ["-F", "none", ...flags, "-p", String(this.#port()), "root@127.0.0.1"];
  }
}
