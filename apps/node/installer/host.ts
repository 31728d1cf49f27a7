/**
 * What the installer does to the machine beside files: tries a release, and lets PID 1 start it.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Host {
  /** The release's own check of itself, before anything depends on it. */
  passesSelfTest(releaseDir: string): Promise<boolean>;
  /** No worker starts from here on, until {@link runsCurrent}: none of a release that nobody certifies. */
  pause(): Promise<void>;
  /** Makes whatever `current` points to the running release, and looks at it. */
  runsCurrent(): Promise<boolean>;
}

/** Debian's, who owns nothing: the new release's check runs with nobody's rights. */
const NOBODY = 65_534;
/** An emulated processor loads a model in a minute. */
const SELF_TEST_MS = 180_000;
/** As long as the slowest of the units may take. */
const RESTART_MS = 300_000;
/** A process that dies at once has done so by then. */
const SETTLE_MS = 5_000;

/** In the order of their start; workers and clerks are new with every connection. */
const GATEWAY = "phantoma-gateway.service";
const UNITS = ["phantoma-warden.service", "phantoma-keeper.service", GATEWAY];

export interface HostOptions {
  readonly installDir: string;
  readonly stateDir: string;
  /** Under systemd; without it `current` is only tried. */
  readonly hasUnits: boolean;
}

export function openHost({ installDir, stateDir, hasUnits }: HostOptions): Host {
  const passesSelfTest = (releaseDir: string): Promise<boolean> =>
    succeeds(
      join(releaseDir, "bin/node"),
      [
        join(releaseDir, "apps/node/self-test/main.js"),
        "--release",
        releaseDir,
        "--state",
        stateDir,
      ],
      SELF_TEST_MS,
      process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {},
    );
  return {
    passesSelfTest,
    async pause() {
      if (hasUnits) await systemctl("stop", GATEWAY);
    },
    async runsCurrent() {
      if (!hasUnits) return passesSelfTest(join(installDir, "current"));
      // Each start says whether it came up: the warden when the policy has
      // been attached and tried, the others when it let them in.
      if (!(await systemctl("daemon-reload"))) return false;
      for (const unit of UNITS) if (!(await systemctl("restart", unit))) return false;
      await sleep(SETTLE_MS);
      // One at a time: asked for several, systemctl is content with one of them.
      for (const unit of UNITS) if (!(await systemctl("is-active", "--quiet", unit))) return false;
      return true;
    },
  };
}

function systemctl(...args: string[]): Promise<boolean> {
  return succeeds("/usr/bin/systemctl", args, RESTART_MS);
}

/** Whether a program starts, ends in time, and ends well; it is told nothing and heard only so. */
async function succeeds(
  program: string,
  args: readonly string[],
  timeout: number,
  as: { readonly uid?: number; readonly gid?: number } = {},
): Promise<boolean> {
  const child = spawn(program, args, {
    ...as,
    cwd: "/",
    env: {},
    stdio: "ignore",
    // Not `timeout`: its timer would keep us waiting when the program cannot even be started.
    signal: AbortSignal.timeout(timeout),
    killSignal: "SIGKILL",
  });
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    return code === 0;
  } catch {
    return false;
  }
}
