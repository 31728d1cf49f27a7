/**
 * The console's lock as the page sees it.
 *
 * @module
 */
import { z } from "zod";

/** Minutes without a hand on the console: a coffee, or a working day. */
export const MAX_IDLE_MINUTES = 480;

export const lockSchema = z.strictObject({
  isLocked: z.boolean(),
  /**
   * What opens it again. keyring: the system's key store · passphrase: what a person chose · nothing: the key
   * lies where any program of this user can read it, so a lock would only pretend · unopened: the stored key was not
   * opened, and the one in use is for this run only
   */
  opensWith: z.enum(["keyring", "passphrase", "nothing", "unopened"]),
  /** After how many minutes it locks by itself; `null`: on demand only. */
  idleMinutes: z.int().min(1).max(MAX_IDLE_MINUTES).nullable(),
});

export type LockView = z.infer<typeof lockSchema>;
