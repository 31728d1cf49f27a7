/**
 * The warm pool of one model (or of clerks): a few processes ahead of demand, each used once.
 *
 * Waiting tickets are served in order as processes become warm; a used one is replaced at once.
 *
 * @module
 */
import type { CloseCode } from "@phantoma/protocol";
import type { Log } from "../log/log.ts";
import type { BudgetHolder, LiveBudget } from "./live-budget.ts";
import { SingleUseProcess } from "./single-use-process.ts";
import type { Starter } from "./starter.ts";

export interface PoolOptions {
  readonly starter: Starter;
  /** Kept ready; more would only cost memory. */
  readonly warm: number;
  /** Warm and serving together, shared with the pools of other models. */
  readonly budget: LiveBudget;
  readonly maxWaiting: number;
  /** What to warm; zeros for clerks. */
  readonly model: Uint8Array;
  readonly log: Log;
}

export interface Waiter {
  /** A process is assigned. */
  serve(process: SingleUseProcess): void;
  /** It is this one's turn after `position - 1` others. */
  moved(position: number): void;
  /** No process can be had: the last ones ended with this close code while warming up. */
  fail(closeCode: CloseCode | undefined): void;
}

/** A process that cannot start is tried again after 100 ms, doubling to 10 s. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 10_000;

/** After so many failures in a row the waiting are told, rather than kept hoping. */
const FAILURES_BEFORE_TELLING = 3;

export class Pool implements BudgetHolder {
  readonly #options: PoolOptions;
  readonly #live = new Set<SingleUseProcess>();
  /** Ended to make room for another model, which is no failure. */
  readonly #dropped = new Set<SingleUseProcess>();
  readonly #waiting: Waiter[] = [];
  #startsUnderWay = 0;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #threads = 0;
  #isStopped = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    options.budget.join(this);
    this.refill();
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get isFull(): boolean {
    return this.#waiting.length >= this.#options.maxWaiting;
  }

  get warmCount(): number {
    return [...this.#live].filter((process) => process.isWarm).length;
  }

  /** Joins the queue; the waiter is served at once where a process is warm. */
  join(waiter: Waiter): void {
    this.#waiting.push(waiter);
    this.#serveWaiting();
    const position = this.#waiting.indexOf(waiter) + 1;
    if (position > 0) waiter.moved(position);
    this.refill();
  }

  /** Leaves the queue; harmless when already served. */
  leave(waiter: Waiter): void {
    const index = this.#waiting.indexOf(waiter);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    this.#tellPositions(index);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    for (const process of this.#live) process.link.close();
  }

  #serveWaiting(): void {
    for (const process of this.#live) {
      if (this.#waiting.length === 0) return;
      if (!process.isWarm) continue;
      this.#waiting.shift()!.serve(process);
      this.#tellPositions(0);
    }
  }

  #tellPositions(from: number): void {
    for (let index = from; index < this.#waiting.length; index += 1)
      this.#waiting[index]!.moved(index + 1);
  }

  /** Starts what is missing: for those who wait, and to have some ready for the next. */
  refill(): void {
    if (this.#isStopped || this.#retry) return;
    const { warm, budget } = this.#options;
    const starting = this.#startsUnderWay + this.#startingCount();
    const wanted = warm + this.#waiting.length - this.warmCount - starting;
    for (let count = Math.min(wanted, warm - starting); count > 0; count -= 1) {
      if (!budget.take(this)) return;
      void this.#startOne();
    }
  }

  dropWarm(): boolean {
    const idle = [...this.#live].find((process) => process.isWarm);
    if (!idle) return false;
    this.#dropped.add(idle);
    idle.link.close();
    return true;
  }

  #startingCount(): number {
    return [...this.#live].filter((process) => process.isStarting).length;
  }

  async #startOne(): Promise<void> {
    const { starter, model, budget } = this.#options;
    this.#startsUnderWay += 1;
    let connection;
    try {
      connection = await starter.start();
    } catch {
      this.#startsUnderWay -= 1;
      this.#failed(undefined);
      return budget.giveBack();
    }
    this.#startsUnderWay -= 1;
    const order = { model, threads: this.#threads };
    const process = new SingleUseProcess(connection, order, () => this.#becameWarm(process));
    this.#live.add(process);
    if (this.#isStopped) process.link.close();
    await process.link.closed;
    this.#live.delete(process);
    const gaveWay = this.#dropped.delete(process);
    if (process.isUnused && !gaveWay && !this.#isStopped) this.#failed(process.farewell);
    budget.giveBack();
  }

  #becameWarm(process: SingleUseProcess): void {
    this.#failures = 0;
    this.#threads = process.threads;
    this.#serveWaiting();
    this.#options.budget.becameWarm();
  }

  /** A process ended before anybody used it. */
  #failed(closeCode: CloseCode | undefined): void {
    this.#failures += 1;
    this.#options.log("process-failed", { count: this.#failures });
    if (this.#failures >= FAILURES_BEFORE_TELLING)
      for (const waiter of this.#waiting.splice(0)) waiter.fail(closeCode);
    const delay = Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), LAST_RETRY_MS);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.refill();
    }, delay);
  }
}
