/**
 * A guest on its first day: booted once, saved, and from then on there in seconds.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Guest, type GuestOptions } from "./guest.ts";
import { imageDir } from "./recipe.ts";

const stateDir = join(imageDir, "states", "booted");

export async function bootedGuest(options: GuestOptions = {}): Promise<Guest> {
  if (!existsSync(stateDir)) {
    const guest = await Guest.boot();
    try {
      await guest.check("systemctl is-system-running --wait || true");
      await guest.saveState(stateDir);
    } finally {
      await guest.stop();
    }
  }
  return Guest.restore(stateDir, options);
}

/** Why this machine cannot run a guest; `undefined` where it can. */
export function noGuest(): string | undefined {
  return existsSync(imageDir) ? undefined : "needs the guest: npm run vps:build (root, 5 minutes)";
}
