/**
 * How many workers may live at once, all models together: what the machine has memory for.
 *
 * Where it is spent and somebody waits, a model that nobody waits for gives up a warm worker.
 *
 * @module
 */
export interface BudgetHolder {
  /** How many wait for a process of this pool. */
  readonly waitingCount: number;
  /** Ends one process that nobody has used; `false` where there is none. */
  dropWarm(): boolean;
  /** There may be room again. */
  refill(): void;
}

export class LiveBudget {
  readonly #max: number;
  readonly #holders = new Set<BudgetHolder>();
  #live = 0;

  constructor(max: number) {
    this.#max = max;
  }

  join(holder: BudgetHolder): void {
    this.#holders.add(holder);
  }

  /** Room for one more process; when there is none, somebody idle is asked to make some. */
  take(holder: BudgetHolder): boolean {
    if (this.#live < this.#max) {
      this.#live += 1;
      return true;
    }
    // Its end comes back through giveBack, which lets the waiting refill first.
    if (holder.waitingCount > 0) this.#makeRoom(holder);
    return false;
  }

  giveBack(): void {
    this.#live -= 1;
    this.#refillByNeed();
  }

  /** A process became warm: who came while it could not give way yet may have its place. */
  becameWarm(): void {
    this.#refillByNeed();
  }

  #refillByNeed(): void {
    const byNeed = [...this.#holders].toSorted((a, b) => b.waitingCount - a.waitingCount);
    for (const holder of byNeed) holder.refill();
  }

  #makeRoom(asking: BudgetHolder): void {
    for (const holder of this.#holders)
      if (holder !== asking && holder.waitingCount === 0 && holder.dropWarm()) return;
  }
}
