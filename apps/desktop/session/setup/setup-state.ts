/**
 * Where a set-up is, and the one thing that is under way in it. What was begun and then cancelled is never heard of
 * again.
 *
 * @module
 */
import type { Setup, SetupStage } from "../../ipc/setup.ts";
import { consoleErrorOf, DesktopError } from "../desktop-error.ts";

/** One thing under way. What it says after it was cancelled is not heard. */
export interface Attempt {
  readonly signal: AbortSignal;
  readonly say: (change: Partial<Setup>) => void;
}

export class SetupState {
  readonly #onChanged: (setup: Setup) => void;
  #now: Setup;
  #attempt: AbortController | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(first: Setup, onChanged: (setup: Setup) => void) {
    this.#now = first;
    this.#onChanged = onChanged;
  }

  get now(): Setup {
    return this.#now;
  }

  /** Settles when what was begun last has ended, also when it was cancelled. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  say(change: Partial<Setup>): Setup {
    this.#now = { ...this.#now, ...change };
    this.#onChanged(this.#now);
    return this.#now;
  }

  /** Begins something; how it ends is told as a change. */
  run(work: (attempt: Attempt) => Promise<void>): Setup {
    const { signal } = (this.#attempt = new AbortController());
    this.say({ isBusy: true, error: null });
    const say = (change: Partial<Setup>): void => {
      if (!signal.aborted) this.say(change);
    };
    this.#ended = work({ signal, say }).then(
      () => say({ isBusy: false, wishes: [] }),
      (error: unknown) => say({ isBusy: false, wishes: [], error: consoleErrorOf(error) }),
    );
    return this.#now;
  }

  /** Cancels what is under way; whoever does says what follows. */
  abort(): void {
    this.#attempt?.abort();
    this.#attempt = undefined;
    this.#now = { ...this.#now, isBusy: false, wishes: [] };
  }

  /** @throws {@link DesktopError} `ERR_SETUP_STATE` */
  expect(...stages: readonly SetupStage[]): void {
    if (this.#now.isBusy || !stages.includes(this.#now.stage)) throw notNow();
  }
}

export function notNow(): DesktopError {
  return new DesktopError("ERR_SETUP_STATE", "the set-up does not wait for this now");
}
