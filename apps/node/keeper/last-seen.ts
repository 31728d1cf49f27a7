/**
 * In which hour each device was last let in: for an admin who wonders whether a device is still used.
 *
 * In memory only and no finer than an hour: when somebody worked is not the node's to keep.
 *
 * @module
 */
import { MAX_DEVICES } from "@phantoma/crypto";
import type { LastSeen as Seen } from "@phantoma/protocol";

/** An hour: enough to tell a device in use from one in a drawer, too coarse for a day's timetable. */
const COARSE_MS = 3_600_000;

export class LastSeen {
  /** In the order in which they were last seen. */
  readonly #hours = new Map<string, number>();

  saw(signingKey: Uint8Array, now: number): void {
    const device = Buffer.from(signingKey).toString("hex");
    this.#hours.delete(device);
    this.#hours.set(device, now - (now % COARSE_MS));
    // Devices that were dropped from the list would stay for ever.
    if (this.#hours.size > MAX_DEVICES) this.#hours.delete(this.#hours.keys().next().value!);
  }

  list(): Seen {
    return [...this.#hours].map(([device, hour]) => ({ device, hour }));
  }
}
