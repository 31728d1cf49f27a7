/**
 * The clock that answers leave on: asks every paced tunnel for a record, then releases them.
 *
 *   … ask ──ahead──> tick ──────────> ask ──ahead──> tick …
 *
 * It runs in the gateway because a busy model in the worker delays timers there.
 *
 * @module
 */
export interface Paced {
  /** A record should be asked for now, to be there at the tick. */
  ask(): void;
  /** One record may leave now. */
  tick(): void;
}

export class TickClock {
  readonly #intervalMs: number;
  readonly #aheadMs: number;
  readonly #paced = new Set<Paced>();
  #nextTick = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(intervalMs: number, aheadMs: number) {
    this.#intervalMs = intervalMs;
    this.#aheadMs = Math.min(aheadMs, intervalMs / 2);
  }

  add(paced: Paced): void {
    this.#paced.add(paced);
    if (this.#timer) return;
    this.#nextTick = performance.now() + this.#intervalMs;
    this.#waitForAsk();
  }

  remove(paced: Paced): void {
    this.#paced.delete(paced);
    if (this.#paced.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #waitForAsk(): void {
    this.#timer = setTimeout(
      () => {
        for (const paced of this.#paced) paced.ask();
        if (this.#paced.size > 0) this.#waitForTick();
      },
      until(this.#nextTick - this.#aheadMs),
    );
  }

  #waitForTick(): void {
    this.#timer = setTimeout(() => {
      for (const paced of this.#paced) paced.tick();
      this.#nextTick += this.#intervalMs;
      // After a stall the lost ticks are gone: catching up in a burst would show the stall twice.
      this.#nextTick = Math.max(this.#nextTick, performance.now() + this.#aheadMs);
      if (this.#paced.size > 0) this.#waitForAsk();
    }, until(this.#nextTick));
  }
}

function until(time: number): number {
  return Math.max(0, time - performance.now());
}
