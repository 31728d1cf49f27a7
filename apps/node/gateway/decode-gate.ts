/**
 * How many workers compute at once: threads of ggml spin, so one too many slows everybody down.
 *
 * @module
 */
export interface Decoder {
  /** It may compute now. */
  go(): void;
  /** It waits behind `position - 1` others. */
  waits(position: number): void;
}

export class DecodeGate {
  readonly #max: number;
  readonly #running = new Set<Decoder>();
  readonly #waiting: Decoder[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  wants(decoder: Decoder): void {
    if (this.#running.has(decoder) || this.#waiting.includes(decoder)) return;
    if (this.#running.size < this.#max) {
      this.#running.add(decoder);
      decoder.go();
    } else {
      this.#waiting.push(decoder);
      decoder.waits(this.#waiting.length);
    }
  }

  /** It has its answer, or is gone. Harmless when it never asked. */
  done(decoder: Decoder): void {
    const index = this.#waiting.indexOf(decoder);
    if (index >= 0) this.#waiting.splice(index, 1);
    this.#running.delete(decoder);
    while (this.#running.size < this.#max && this.#waiting.length > 0) {
      const next = this.#waiting.shift()!;
      this.#running.add(next);
      next.go();
    }
    this.#waiting.forEach((waiting, position) => waiting.waits(position + 1));
  }
}
