/**
 * A guest on its first day: booted once, saved, and from then on there in seconds.
 *
 * Node and llama.cpp lie in it already, where nothing looks for them: 150 MB that the emulated network
 * takes a minute for, and the same for every release.
 *
 * @module
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Guest, type GuestOptions } from "./guest.ts";
import { imageDir } from "./recipe.ts";
import { makeRuntimeTree, runtimeVersion } from "../../tools/bundle/release-tree.ts";

/** On the same file system as the releases, so that they can share its files. */
export const RUNTIME_DIR = "/opt/phantoma/runtime";

export async function bootedGuest(options: GuestOptions = {}): Promise<Guest> {
  const stateDir = join(imageDir, "states", `booted-${runtimeVersion()}`);
  if (!existsSync(stateDir)) await makeState(stateDir);
  return Guest.restore(stateDir, options);
}

/** Why this machine cannot run a guest; `undefined` where it can. */
export function noGuest(): string | undefined {
  return existsSync(imageDir) ? undefined : "needs the guest: npm run vps:build (root, 5 minutes)";
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

async function makeState(stateDir: string): Promise<void> {
  const guest = await Guest.boot();
  try {
    await guest.check("systemctl is-system-running --wait || true");
    await copyTree(guest, makeRuntimeTree, RUNTIME_DIR);
    await guest.saveState(stateDir);
  } finally {
    await guest.stop();
  }
}
