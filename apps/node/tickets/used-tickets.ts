/**
 * Remembers which tickets were used, as long as they could be used again.
 *
 * @module
 */

/** 100,000 tickets of 32 bytes: 10 minutes at over 150 sessions a second. */
export const MAX_REMEMBERED_TICKETS = 100_000;

export class UsedTickets {
  readonly #lifetimeMs: number;
  /** Ticket hash to the last time at which it must be remembered, oldest first. */
  readonly #forgetAt = new Map<string, number>();

  /** @param lifetimeMs how long after its first use a ticket could still be accepted */
  constructor(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs;
  }

  /** Counts a use; a full memory refuses rather than forgets. */
  use(hash: Uint8Array, now: number): "first" | "again" | "full" {
    this.#forget(now);
    const key = Buffer.from(hash).toString("latin1");
    if (this.#forgetAt.has(key)) return "again";
    if (this.#forgetAt.size >= MAX_REMEMBERED_TICKETS) return "full";
    this.#forgetAt.set(key, now + this.#lifetimeMs);
    return "first";
  }

  #forget(now: number): void {
    for (const [key, time] of this.#forgetAt) {
      if (time >= now) return;
      this.#forgetAt.delete(key);
    }
  }
}
