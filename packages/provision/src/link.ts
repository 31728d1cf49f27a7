/**
 * A root shell that comes back: when the connection is cut, or the server reboots, it is opened again with the same host
 * key and sign-in, and what was being asked is asked again.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ProvisionError, type ProvisionErrorCode } from "./provision-error.ts";
import type { RootShell } from "./ssh/root-shell.ts";

/** What a cut looks like from here, and a server that is booting. */
const PASSING: ReadonlySet<ProvisionErrorCode> = new Set([
  "ERR_SSH_DROPPED",
  "ERR_SSH_TIMEOUT",
  "ERR_SSH_UNREACHABLE",
  "ERR_SSH_PROTOCOL",
]);
/** Ten minutes: a large server takes five to boot. */
const AWAY_MS = 600_000;
const RETRY_MS = 2_000;
/** Until its boot has ended a server refuses everybody but root; more would look like guessing. */
const REFUSALS = 3;
const REFUSED_MS = 15_000;

export class Link {
  readonly #connect: () => Promise<RootShell>;
  readonly #onAway: (isAway: boolean) => void;
  #shell: RootShell | undefined;

  /** @param onAway is told when the server is lost, and when it is back */
  constructor(connect: () => Promise<RootShell>, onAway: (isAway: boolean) => void) {
    this.#connect = connect;
    this.#onAway = onAway;
  }

  /** What is asked may be asked twice: it is one that may. @throws {@link ProvisionError} */
  async ask<T>(question: (shell: RootShell) => Promise<T>): Promise<T> {
    for (;;)
      try {
        this.#shell ??= await this.#connect();
        return await question(this.#shell);
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#onAway(true);
        this.#shell?.close();
        this.#shell = await this.#reconnect();
        this.#onAway(false);
      }
  }

  /** The next question signs in anew. */
  hangUp(): void {
    this.#shell?.close();
    this.#shell = undefined;
  }

  async #reconnect(): Promise<RootShell> {
    const late = Date.now() + AWAY_MS;
    for (let refusals = 0; ;) {
      try {
        return await this.#connect();
      } catch (error) {
        const isRefused = error instanceof ProvisionError && error.code === "ERR_SSH_SIGN_IN";
        if (isRefused) refusals += 1;
        if (Date.now() > late || (isRefused ? refusals > REFUSALS : !isPassing(error))) throw error;
        await sleep(isRefused ? REFUSED_MS : RETRY_MS);
      }
    }
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof ProvisionError && PASSING.has(error.code);
}
