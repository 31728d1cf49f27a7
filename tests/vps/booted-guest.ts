/**
 * A guest on its first day: booted once, saved, and from then on there in seconds.
 *
 * Node and llama.cpp lie in it already, where nothing looks for them: 150 MB that the emulated network
 * takes a minute for, and the same for every release.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readHostKey } from "../../packages/provision/src/ssh/host-key.ts";
import { Guest, type GuestOptions } from "./guest.ts";
import { USUAL_MEMORY_MIB } from "./machine.ts";
import { imageDir } from "./recipe.ts";
import { makeRuntimeTree, runtimeVersion } from "../../tools/bundle/release-tree.ts";

/** On the same file system as the releases, so that they can share its files. */
export const RUNTIME_DIR = "/opt/phantoma/runtime";
const BUILDER = fileURLToPath(new URL("build-image.ts", import.meta.url));

/** What a guest continues from. */
export function bootedStateDir({ memoryMib = USUAL_MEMORY_MIB }: GuestOptions = {}): string {
  const size = memoryMib === USUAL_MEMORY_MIB ? "" : `-${memoryMib}`;
  return join(imageDir, "states", `booted-${runtimeVersion()}${size}`);
}

/** Where there is none yet it is made, which takes minutes and is told on standard error. */
export async function bootedGuest(options: GuestOptions = {}): Promise<Guest> {
  const stateDir = bootedStateDir(options);
  if (!existsSync(imageDir)) {
    const build = spawnSync(process.execPath, [BUILDER], { stdio: ["ignore", 2, 2] });
    if (build.status !== 0) throw new Error("the guest could not be built");
  }
  if (!existsSync(stateDir)) await saveFirstBoot(options);
  return Guest.restore(stateDir, options);
}

/** A server that nobody prepared: without what lies there to save other proofs their time. */
export async function stockGuest(options: GuestOptions = {}): Promise<Guest> {
  const guest = await bootedGuest(options);
  await guest.check(`rm -rf ${RUNTIME_DIR} && rmdir /opt/phantoma`);
  return guest;
}

/** The fingerprint of its SSH host key, as its owner would read it there. */
export function hostKeyOfGuest(): string {
  const [, , blob = ""] = readFileSync(join(imageDir, "known_hosts"), "ascii").split(" ");
  return readHostKey(Buffer.from(blob, "base64")).sha256;
}

/** Makes a tree here and puts it into the guest. */
export async function copyTree(
  guest: Guest,
  make: (dir: string) => void,
  guestDir: string,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "phantoma-tree-"));
  try {
    make(dir);
    await guest.copyFolder(dir, guestDir);
  } finally {
    rmSync(dir, { recursive: true });
  }
  // The folder itself came with this machine's private mode.
  await guest.check(`chmod 755 ${guestDir}`);
}

export async function saveFirstBoot({ memoryMib }: GuestOptions = {}): Promise<void> {
  const guest = await Guest.boot(memoryMib ? { memoryMib } : {});
  try {
    const commandLine = await guest.check("cat /proc/cmdline");
    if (!commandLine.includes("BOOT_IMAGE=")) throw new Error("the guest did not boot by its GRUB");
    await guest.check("systemctl is-system-running --wait || true");
    await copyTree(guest, makeRuntimeTree, RUNTIME_DIR);
    await guest.saveState(bootedStateDir(memoryMib ? { memoryMib } : {}));
  } finally {
    await guest.stop();
  }
}
