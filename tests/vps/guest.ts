/**
 * A real Debian 12 server in QEMU, without KVM: partitioned disk, own GRUB, no internet.
 *
 *   boot ──> ssh, copyTo, dumpMemory, powerCut … ──> saveState ──> stop
 *   restore ──> the same, from a saved state: seconds instead of a boot
 *
 * Every guest writes into an overlay of its own, so what one test does no other sees. The disk image
 * is made by `build-image.ts`. A guest never outlives the program that started it.
 *
 * @module
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { mkdtempSync, openSync, closeSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { GuestShell, type Output } from "./guest-shell.ts";
import { machineArguments, ramPieces, USUAL_MEMORY_MIB } from "./machine.ts";
import { Monitor } from "./qmp.ts";
import { imageDir } from "./recipe.ts";

const run = promisify(execFile);

export interface GuestOptions {
  /** Where the built image lies; another folder while it is being built. */
  readonly image?: string;
  /**
   * Starts this kernel command line directly, past the guest's GRUB; `[]` for the usual one. Absent:
   * the guest's own GRUB decides.
   */
  readonly kernelArguments?: readonly string[];
  /** RAM in MiB; a small rented server's where absent. */
  readonly memoryMib?: number;
  /** TCP ports of the guest that are wanted on this machine's 127.0.0.1, besides ssh. */
  readonly ports?: readonly number[];
  /** Writes into the image itself: only its builder wants that. */
  readonly isWritingImage?: boolean;
}

/** A boot takes 30 s on a quiet machine and several times that on a busy one, in milliseconds. */
const BOOT_TIMEOUT_MS = 300_000;
const SSH_RETRY_MS = 500;
/** Longer than any boot that came to its end; a kernel that hangs without KVM is started once more. */
const HUNG_AFTER_MS = 150_000;
/** How often somebody who waits for a boot is told of it, in milliseconds. */
const TELL_MS = 15_000;
/** A boot that says nothing for so long hangs, in milliseconds: after its login prompt it would answer. */
const SILENT_MS = 180_000;
/** systemd stops what it started within 90 s; then the power goes, in milliseconds. */
const SHUTDOWN_TIMEOUT_MS = 120_000;

export class Guest {
  readonly #options: GuestOptions;
  readonly #image: string;
  readonly #memoryMib: number;
  /** Overlay, sockets and console of this guest; removed by {@link stop}. */
  readonly #dir: string;
  #qemu: ChildProcess | undefined;
  #monitor: Monitor | undefined;
  readonly #forwards = new Map<number, number>();
  readonly #shell: GuestShell;
  /** How much of the console a late timer was looked for in. */
  #consoleSeen = 0;

  /** Starts the guest and waits until ssh answers. */
  static async boot(options: GuestOptions = {}): Promise<Guest> {
    const guest = new Guest(options);
    return guest.#orStop(async () => {
      if (!options.isWritingImage)
        await makeOverlay(join(guest.#image, "disk.raw"), guest.diskPath);
      await guest.#start([]);
      await guest.#answers();
    });
  }

  /** Continues where {@link saveState} stopped; the clock is set to now. */
  static async restore(stateDir: string, options: GuestOptions = {}): Promise<Guest> {
    const guest = new Guest(options);
    return guest.#orStop(async () => {
      await makeOverlay(join(stateDir, "disk.qcow2"), guest.diskPath);
      await guest.#start(["-incoming", `exec:cat '${join(stateDir, "memory")}'`]);
      await guest.#untilRunning();
      await guest.#answers();
      await guest.check(`date --set=@${(Date.now() / 1000).toFixed(3)}`);
    });
  }

  private constructor(options: GuestOptions) {
    this.#options = options;
    this.#image = options.image ?? imageDir;
    this.#memoryMib = options.memoryMib ?? USUAL_MEMORY_MIB;
    if (!existsSync(join(this.#image, "disk.raw")))
      throw new Error("the guest is not built yet: run `npm run vps:build` (root, 4 minutes)");
    this.#dir = mkdtempSync(join(tmpdir(), "phantoma-vps-"));
    this.#shell = new GuestShell(this.#image, this.#dir, () => this.port(22));
  }

  /** This machine's port for a port of the guest. */
  port(guestPort: number): number {
    const port = this.#forwards.get(guestPort);
    if (port === undefined) throw new Error(`port ${guestPort} was not asked for at the start`);
    return port;
  }

  /** The disk as QEMU writes it: qcow2 over the image, or the raw image while that is being built. */
  get diskPath(): string {
    return this.#options.isWritingImage
      ? join(this.#image, "disk.raw")
      : join(this.#dir, "disk.qcow2");
  }

  /** For people who want to look around. */
  get sshCommand(): string {
    return this.#shell.commandLine;
  }

  /** Everything that the kernel and GRUB said on the serial port. */
  get console(): string {
    return readFileSync(join(this.#dir, "console.log"), "latin1");
  }

  get consolePath(): string {
    return join(this.#dir, "console.log");
  }

  /**
   * Runs a shell command as root in the guest.
   *
   * @param hear is told each line of standard error as it comes
   */
  async ssh(
    command: string,
    input?: string | Buffer,
    hear?: (line: string) => void,
  ): Promise<Output> {
    return this.#shell.run(command, input, hear);
  }

  /** The same, for a command that must succeed; gives what it printed. */
  async check(command: string, input?: string | Buffer): Promise<string> {
    const { code, stdout, stderr } = await this.#shell.run(command, input);
    if (code !== 0)
      throw new Error(`in the guest: ${command}\n${stdout}${stderr}(ended with ${code})`);
    return stdout;
  }

  /** Puts a folder of this machine into the guest, as root's. */
  async copyFolder(dir: string, guestDir: string): Promise<void> {
    return this.#shell.copyFolder(dir, guestDir);
  }

  async copyTo(path: string, guestPath: string): Promise<void> {
    await this.check(`cat > ${guestPath}`, readFileSync(path));
  }

  /**
   * Writes all RAM while the guest stands still.
   *
   * @returns the files: beyond 2 GiB, RAM lies in two pieces
   */
  async dumpMemory(path: string): Promise<string[]> {
    const monitor = this.#running();
    const pieces = ramPieces(this.#memoryMib);
    const paths = pieces.map((_piece, index) => `${path}.${index}`);
    await monitor.ask("stop");
    try {
      for (const [index, { at, bytes }] of pieces.entries())
        await monitor.ask("pmemsave", { val: at, size: bytes, filename: paths[index] });
    } finally {
      await monitor.ask("cont");
    }
    return paths;
  }

  /** The whole disk as bytes, for a search; what the guest has not synced is not on it. */
  async dumpDisk(path: string): Promise<void> {
    await run("qemu-img", ["convert", "-U", "-O", "raw", this.diskPath, path]);
  }

  /** The reset button is pressed in the midst of everything: RAM is not cleared. Then it boots again. */
  async resetAndBoot(): Promise<void> {
    const reset = this.#running().event("RESET");
    await this.reset();
    await reset;
    await this.#answers();
  }

  /**
   * The power fails: what the guest's kernel had not written is lost. Then it boots again.
   *
   * @param whileOff may look at the disk as it was left
   */
  async powerCut(whileOff?: () => Promise<void>): Promise<void> {
    await this.#kill();
    await whileOff?.();
    await this.#start([]);
    await this.#answers();
  }

  /** Boots again in order, through the guest's own GRUB. */
  async reboot(): Promise<void> {
    const reset = this.#running().event("RESET");
    await this.ssh("systemctl reboot");
    await reset;
    this.#shell.hangUp();
    await this.#answers();
  }

  /**
   * Sees a reboot through that the guest was told to make by somebody else: called before it begins, it ends when ssh
   * answers again. Without KVM, on a busy machine, a boot hangs at times: the reset button is pressed where nothing has
   * been said on the console for long.
   *
   * @param hear is told how far it is, so that a hang is seen
   */
  async followReboot(hear: (line: string) => void): Promise<void> {
    await this.#running().event("RESET");
    this.#shell.hangUp();
    const start = Date.now();
    let [length, saidAt, toldAt] = [this.console.length, start, start];
    for (;;) {
      const { code } = await this.#shell.run("true");
      const seconds = ((Date.now() - start) / 1000).toFixed(0);
      if (code === 0) return hear(`the guest answers again after ${seconds} s`);
      if (this.#qemu?.exitCode !== null) throw new Error("QEMU ended in the reboot");
      await this.#startAgainAfterLateTimer();
      const text = this.console;
      if (text.length > length) saidAt = Date.now();
      length = text.length;
      if (Date.now() - toldAt > TELL_MS) {
        toldAt = Date.now();
        hear(`${seconds} s of boot: ${lastLineOf(text)}`);
      }
      if (Date.now() - saidAt > SILENT_MS) {
        hear(`nothing on the console for ${SILENT_MS / 1000} s: reset`);
        await this.reset();
        saidAt = Date.now();
      }
      await sleep(SSH_RETRY_MS);
    }
  }

  /** Keeps disk and memory for {@link restore} and ends this guest. A folder that is there is complete. */
  async saveState(stateDir: string): Promise<void> {
    const monitor = this.#running();
    const making = `${stateDir}.${process.pid}.new`;
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { recursive: true });
    await this.check("sync");
    this.#shell.hangUp();
    await monitor.ask("stop");
    await monitor.ask("migrate-set-parameters", { "max-bandwidth": 2 ** 33 });
    await monitor.ask("migrate", { uri: `exec:cat > '${join(making, "memory")}'` });
    await untilMigrated(monitor);
    const ended = new Promise((resolve) => this.#qemu!.once("exit", resolve));
    await monitor.ask("quit").catch(() => undefined);
    await ended;
    // Copied, not moved: the overlay may stand on another one, whose place is written in it.
    await run("cp", ["--sparse=always", this.diskPath, join(making, "disk.qcow2")]);
    rmSync(stateDir, { recursive: true, force: true });
    renameSync(making, stateDir);
    await this.stop();
  }

  /** Shuts down in order: everything is on the disk afterwards. */
  async shutDown(): Promise<void> {
    const qemu = this.#qemu!;
    const ended = new Promise((resolve) => qemu.once("exit", resolve));
    await this.ssh("systemctl poweroff");
    const tooLong = setTimeout(() => qemu.kill("SIGKILL"), SHUTDOWN_TIMEOUT_MS);
    await ended;
    clearTimeout(tooLong);
  }

  /** Ends QEMU at once and removes what this guest wrote. */
  async stop(): Promise<void> {
    await this.#kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #orStop(starting: () => Promise<void>): Promise<this> {
    try {
      await starting();
      return this;
    } catch (error) {
      const lastLines = existsSync(this.consolePath) ? this.console.slice(-2_000) : "";
      await this.stop();
      throw new Error(`the guest did not start\n${lastLines}`, { cause: error });
    }
  }

  async #start(extra: readonly string[]): Promise<void> {
    for (const port of [22, ...(this.#options.ports ?? [])])
      if (!this.#forwards.has(port)) this.#forwards.set(port, await freePort());
    const log = openSync(join(this.#dir, "qemu.log"), "a");
    // The kernel ends QEMU should this program die without a word.
    const guard = ["--pdeathsig", "KILL", "nice", "-n", "5", "qemu-system-x86_64"];
    const machine = machineArguments({
      diskPath: this.diskPath,
      diskFormat: this.#options.isWritingImage ? "raw" : "qcow2",
      consolePath: this.consolePath,
      monitorPath: join(this.#dir, "monitor.sock"),
      memoryMib: this.#memoryMib,
      forwards: this.#forwards,
      imageDir: this.#image,
      kernelArguments: this.#options.kernelArguments,
    });
    const qemu = spawn("setpriv", [...guard, ...machine, ...extra], {
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#qemu = qemu;
    const failed = new Promise<never>((_resolve, reject) => {
      qemu.once("error", reject);
      qemu.once("exit", () =>
        reject(new Error(readFileSync(join(this.#dir, "qemu.log"), "utf8") || "QEMU ended")),
      );
    });
    failed.catch(() => undefined);
    this.#monitor = await Promise.race([Monitor.open(join(this.#dir, "monitor.sock")), failed]);
  }

  /** For a kernel that hangs: without KVM, on a busy machine, one does at times. */
  async reset(): Promise<void> {
    await this.#running().ask("system_reset");
    this.#shell.hangUp();
  }

  async #answers(): Promise<void> {
    const deadline = Date.now() + BOOT_TIMEOUT_MS;
    let hungAt = Date.now() + HUNG_AFTER_MS;
    for (;;) {
      const { code, stderr } = await this.#shell.run("true");
      if (code === 0) return;
      if (this.#qemu?.exitCode !== null || Date.now() > deadline)
        throw new Error(`no ssh to the guest: ${stderr}`);
      await this.#startAgainAfterLateTimer();
      if (Date.now() > hungAt) {
        hungAt = Infinity;
        await this.reset();
      }
      await sleep(SSH_RETRY_MS);
    }
  }

  /**
   * Without KVM, on a busy machine, the first timer tick can come later than Linux waits for it. That
   * is within the first second, before it has touched the disk.
   */
  async #startAgainAfterLateTimer(): Promise<void> {
    const text = this.console;
    if (!text.slice(this.#consoleSeen).includes("IO-APIC + timer doesn't work")) return;
    this.#consoleSeen = text.length;
    await this.#running().ask("system_reset");
  }

  async #untilRunning(): Promise<void> {
    const monitor = this.#running();
    for (;;) {
      const { status } = await monitor.ask<{ status: string }>("query-status");
      if (status === "running") return;
      // The state was saved standing still, and is restored so.
      if (status === "paused") await monitor.ask("cont");
      await sleep(SSH_RETRY_MS / 5);
    }
  }

  #running(): Monitor {
    if (!this.#monitor) throw new Error("the guest is not running");
    return this.#monitor;
  }

  async #kill(): Promise<void> {
    this.#monitor?.close();
    const qemu = this.#qemu;
    if (!qemu || qemu.exitCode !== null || qemu.signalCode !== null) return;
    const ended = new Promise((resolve) => qemu.once("exit", resolve));
    qemu.kill("SIGKILL");
    await ended;
    this.#shell.hangUp();
  }
}

function makeOverlay(backing: string, path: string): Promise<unknown> {
  const format = backing.endsWith(".raw") ? "raw" : "qcow2";
  return run("qemu-img", ["create", "-q", "-f", "qcow2", "-b", backing, "-F", format, path]);
}

async function untilMigrated(monitor: Monitor): Promise<void> {
  for (;;) {
    const { status } = await monitor.ask<{ status: string }>("query-migrate");
    if (status === "completed") return;
    if (status === "failed" || status === "cancelled")
      throw new Error(`saving the state ${status}`);
    await sleep(SSH_RETRY_MS / 5);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Of a serial console, without what moves its cursor. */
function lastLineOf(text: string): string {
  const lines = text
    .slice(-4_096)
    .split(/[\r\n]+/)
    .map((line) => line.replaceAll(/[^\x20-\x7e]/g, "").trim());
  return (lines.findLast((line) => line !== "") ?? "").slice(0, 120);
}
