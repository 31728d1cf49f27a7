/**
 * One machine of a person: a folder of its own, and the terminal's commands run on it as a person would.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { NodeProfile } from "@phantoma/client";
import {
  exportDeviceIdentity,
  generateDeviceIdentity,
  type DeviceIdentity,
} from "@phantoma/crypto";

const entry = fileURLToPath(new URL("../../../apps/cli/main.ts", import.meta.url));

export interface Outcome {
  readonly exitCode: number | null;
  /** What it said with --json, a value for each line. */
  readonly said: Record<string, never>[];
}

export class Machine {
  readonly home = mkdtempSync(join(tmpdir(), "phantoma-proof-home-"));
  readonly device: DeviceIdentity;

  constructor(device = generateDeviceIdentity()) {
    this.device = device;
    const secret = exportDeviceIdentity(device);
    writeFileSync(join(this.home, "device.key"), secret.expose(), { mode: 0o600 });
    secret.erase();
  }

  /** As set-up leaves it. */
  knows(profile: NodeProfile): this {
    mkdirSync(join(this.home, "nodes"), { recursive: true });
    writeFileSync(join(this.home, "nodes", `${profile.name}.json`), JSON.stringify(profile));
    return this;
  }

  async run(args: readonly string[], typed = ""): Promise<Outcome> {
    const running = this.start(args);
    running.type(typed);
    running.hangUp();
    return running.ended;
  }

  /** For a command that waits for a person. */
  start(args: readonly string[]) {
    const child = spawn(process.execPath, [entry, ...args, "--json", "--home", this.home], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    const said: Record<string, never>[] = [];
    const first = Promise.withResolvers<Record<string, never>>();
    createInterface(child.stdout).on("line", (line) => {
      said.push(JSON.parse(line));
      first.resolve(said[0]!);
    });
    const ended = new Promise<Outcome>((resolve) => {
      child.once("close", (exitCode) => {
        first.reject(new Error(`phantoma ${args.join(" ")} said nothing and ended`));
        resolve({ exitCode, said });
      });
    });
    first.promise.catch(() => undefined);
    return {
      first: first.promise,
      ended,
      type: (text: string) => void child.stdin.write(text),
      hangUp: () => child.stdin.end(),
    };
  }
}

/** The code that a command ended with. */
export function codeOf({ said }: Outcome): string | undefined {
  return (said.at(-1) as { error?: { code: string } } | undefined)?.error?.code;
}
