/**
 * How often somebody may ask: a bucket of tokens per name, in memory only and never logged.
 *
 * @module
 */
import { ControlPlaneError } from "./control-plane-error.ts";

/** 8 MB of names at most; past it the one that was longest not heard is forgotten, and begins full. */
const MAX_NAMES = 100_000;

export interface Rate {
  /** Requests at once. */
  readonly burst: number;
  /** How fast they come back. */
  readonly perSecond: number;
}

export class RateLimit {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** @param now milliseconds that only grow */
  constructor(rate: Rate, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
  }

  /** @throws {@link ControlPlaneError} `ERR_RATE` */
  take(name: string): void {
    const { burst, perSecond } = this.#rate;
    const now = this.#now();
    const before = this.#buckets.get(name) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, before.tokens + ((now - before.at) / 1000) * perSecond);
    // Put at the end of the map, which is its order of forgetting.
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    if (this.#buckets.size > MAX_NAMES) this.#buckets.delete(this.#buckets.keys().next().value!);
    if (tokens < 1) throw new ControlPlaneError("ERR_RATE", Math.ceil((1 - tokens) / perSecond));
  }

  get size(): number {
    return this.#buckets.size;
  }
}
