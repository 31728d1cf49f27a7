/**
 * Events pushed by a connection, pulled by whoever iterates; ends or fails once.
 *
 * @module
 */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #events: T[] = [];
  #wake: (() => void) | undefined;
  #outcome: { readonly error?: Error } | undefined;

  push(event: T): void {
    if (this.#outcome) return;
    this.#events.push(event);
    this.#wake?.();
  }

  /** No more events; with an error the iteration throws it after what was pushed. */
  end(error?: Error): void {
    this.#outcome ??= error ? { error } : {};
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.#events.length > 0) yield this.#events.shift()!;
      if (this.#outcome?.error) throw this.#outcome.error;
      if (this.#outcome) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
