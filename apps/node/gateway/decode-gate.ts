/**
 * How many threads compute at once, over all workers: ggml's threads spin, so one too many slows
 * everybody down.
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
  readonly #maxThreads: number;
  /** Who computes, with how many threads. */
  readonly #running = new Map<Decoder, number>();
  readonly #waiting: { readonly decoder: Decoder; readonly threads: number }[] = [];

  constructor(maxThreads: number) {
    this.#maxThreads = maxThreads;
  }

  wants(decoder: Decoder, threads = 1): void {
    if (this.#running.has(decoder) || this.#waiting.some((w) => w.decoder === decoder)) return;
    this.#waiting.push({ decoder, threads });
    this.#letGo();
    const position = this.#waiting.findIndex((w) => w.decoder === decoder) + 1;
    if (position > 0) decoder.waits(position);
  }

  /** It has its answer, or is gone. Harmless when it never asked. */
  done(decoder: Decoder): void {
    const index = this.#waiting.findIndex((w) => w.decoder === decoder);
    if (index >= 0) this.#waiting.splice(index, 1);
    const wasRunning = this.#running.delete(decoder);
    if (index < 0 && !wasRunning) return;
    this.#letGo();
    this.#waiting.forEach((waiting, position) => waiting.decoder.waits(position + 1));
  }

  /** In order, as many as fit; one always may, however many threads it wants. */
  #letGo(): void {
    for (let next = this.#waiting[0]; next && this.#fits(next.threads); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#running.set(next.decoder, next.threads);
      next.decoder.go();
    }
  }

  #fits(threads: number): boolean {
    const used = [...this.#running.values()].reduce((sum, count) => sum + count, 0);
    return used === 0 || used + threads <= this.#maxThreads;
  }
}
