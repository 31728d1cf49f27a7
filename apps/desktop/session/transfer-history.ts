/**
 * Transfers of earlier windows: a node tells of its last one only, so the console remembers what it saw.
 *
 * In memory, and gone with the console.
 *
 * @module
 */
import type { NodeWindow, Transfer } from "../ipc/models.ts";

/** More than a person scrolls through. */
export const MAX_EARLIER = 50;

export class TransferHistory {
  #counter = "";
  #last: readonly Transfer[] = [];
  #earlier: readonly Transfer[] = [];

  /** Takes what a node tells now. @returns the same, with the transfers of windows before it, newest first */
  add(told: Omit<NodeWindow, "earlier">): NodeWindow {
    if (told.highestCounter !== this.#counter) {
      const ended = this.#last.filter(({ state }) => state === "stored" || state === "failed");
      this.#earlier = [...ended, ...this.#earlier].slice(0, MAX_EARLIER);
    }
    this.#counter = told.highestCounter;
    this.#last = told.transfers;
    return { ...told, earlier: [...this.#earlier] };
  }
}
