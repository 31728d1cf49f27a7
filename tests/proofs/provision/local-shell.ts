/**
 * A root shell of a server that is a folder: the same scripts as over SSH, by a real `sh`, with the node's folders below
 * that root. PID 1 is played: what it is told to run, it runs to its end.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { RootShell } from "@phantoma/provision";
import type { ServerFolder } from "../../../packages/provision/src/host/test-server-folder.ts";

/** Ours begin with --; the program and what it is to do follow. */
const SYSTEMD_RUN = `#!/bin/sh
while [ "\${1#--}" != "$1" ]; do shift; done
"$@" --root "$ROOT" >/dev/null 2>&1
exit 0
`;
const SYSTEMCTL = `#!/bin/sh
[ "$1" = show ] && echo inactive
exit 0
`;

export class LocalShell {
  readonly #root: string;
  readonly #bin: string;

  constructor({ root }: ServerFolder) {
    this.#root = root;
    this.#bin = mkdtempSync("/var/tmp/local-shell-");
    for (const [name, text] of Object.entries({ "systemd-run": SYSTEMD_RUN, systemctl: SYSTEMCTL }))
      writeFileSync(join(this.#bin, name), text, { mode: 0o755 });
  }

  /** As whoever signs in is given it. */
  get rootShell(): RootShell {
    return this as unknown as RootShell;
  }

  async run(script: string, { input = [] }: Parameters<RootShell["run"]>[1] = {}) {
    const below = script.replaceAll(/\/(?:var\/lib|opt)\/phantoma/g, (path) => this.#root + path);
    const env = { PATH: `${this.#bin}:${process.env.PATH}`, ROOT: this.#root };
    const child = spawn("/bin/sh", ["-c", below], { env });
    const heard = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    for (const name of ["stdout", "stderr"] as const)
      child[name].on("data", (part: Buffer) => heard[name].push(part));
    // One that has ended reads no more.
    child.stdin.on("error", () => undefined);
    Readable.from(input).pipe(child.stdin);
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout: Buffer.concat(heard.stdout), stderr: Buffer.concat(heard.stderr) };
  }

  close(): void {
    // The next question opens it again.
  }

  remove(): void {
    rmSync(this.#bin, { recursive: true });
  }
}
