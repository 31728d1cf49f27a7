/**
 * One control session that is kept open while the page asks again and again.
 *
 * Opening one costs the node a process and both sides a handshake; a page that watches would pay that
 * twice a second. It is closed when nothing was asked for a while.
 *
 * @module
 */
import { ClientError } from "@phantoma/client";
import type { LiveControl } from "./node-client.ts";

/** Longer than a page waits between two questions; far shorter than a clerk waits for one. */
const HOLD_MS = 5_000;

export class HeldControl {
  readonly #open: () => Promise<LiveControl>;
  #control: Promise<LiveControl> | undefined;
  #asking = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(open: () => Promise<LiveControl>) {
    this.#open = open;
  }

  /** @param question only reads: it is asked twice where a kept session turns out to be gone */
  async ask<T>(question: (control: LiveControl) => Promise<T>): Promise<T> {
    const wasKept = this.#control !== undefined;
    try {
      return await this.#ask(question);
    } catch (error) {
      if (!wasKept || !isGone(error)) throw error;
      return await this.#ask(question);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    const control = this.#control;
    this.#control = undefined;
    control?.then(
      (open) => open.close(),
      () => undefined,
    );
  }

  async #ask<T>(question: (control: LiveControl) => Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    this.#asking += 1;
    const control = (this.#control ??= this.#open());
    try {
      return await question(await control);
    } catch (error) {
      // A refusal leaves the session as it was; whatever else went wrong, the next one begins anew.
      if (this.#control === control && (isGone(error) || !(error instanceof ClientError)))
        this.close();
      throw error;
    } finally {
      this.#asking -= 1;
      if (this.#asking === 0) this.#timer = setTimeout(() => this.close(), HOLD_MS).unref();
    }
  }
}

/** Whether the session itself is over, or never was. */
function isGone(error: unknown): boolean {
  return error instanceof ClientError && goneCodes.has(error.code);
}

const goneCodes: ReadonlySet<string> = new Set([
  "ERR_UNREACHABLE",
  "ERR_PIN_MISMATCH",
  "ERR_NODE_IDENTITY",
  "ERR_HANDSHAKE",
  "ERR_CONNECTION_LOST",
  "ERR_TIMEOUT",
  "ERR_BUSY",
  "ERR_DEVICE_REVOKED",
  "ERR_TICKET_REFUSED",
  "ERR_NODE_SUCCEEDED",
  "ERR_TICKET_MALFORMED",
  "ERR_TICKET_STALE",
  "ERR_TICKET_REUSED",
]);
