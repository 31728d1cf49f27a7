/**
 * Remembers which tickets were used, as long as they could be used again.
 *
 * @module
 */

/** 100,000 tickets of 32 bytes: 10 minutes at over 150 sessions a second. */
export const MAX_REMEMBERED_TICKETS = 100_000;

/** No device fills the memory for the others: over 13 sessions a second, all the time, is no person's. */
export const MAX_REMEMBERED_PER_DEVICE = 10_000;

export class UsedTickets {
  readonly #lifetimeMs: number;
  /** Ticket hash to the last time at which it must be remembered, oldest first. */
  readonly #remembered = new Map<string, { readonly until: number; readonly owner: string }>();
  readonly #perDevice = new Map<string, number>();

  /** @param lifetimeMs how long after its first use a ticket could still be accepted */
  constructor(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs;
  }

  /** Counts a use; a full memory refuses rather than forgets. */
  use(hash: Uint8Array, device: Uint8Array, now: number): "first" | "again" | "full" {
    this.#forget(now);
    const key = latin1(hash);
    if (this.#remembered.has(key)) return "again";
    const owner = latin1(device);
    const owned = this.#perDevice.get(owner) ?? 0;
    if (owned >= MAX_REMEMBERED_PER_DEVICE || this.#remembered.size >= MAX_REMEMBERED_TICKETS)
      return "full";
    this.#remembered.set(key, { until: now + this.#lifetimeMs, owner });
    this.#perDevice.set(owner, owned + 1);
    return "first";
  }

  #forget(now: number): void {
    for (const [key, { until, owner }] of this.#remembered) {
      if (until >= now) return;
      this.#remembered.delete(key);
      const owned = this.#perDevice.get(owner)! - 1;
      if (owned > 0) this.#perDevice.set(owner, owned);
      else this.#perDevice.delete(owner);
    }
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
