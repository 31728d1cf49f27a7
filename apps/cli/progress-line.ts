/**
 * How far a long job is: one line that moves in a terminal, a line now and then elsewhere.
 *
 * @module
 */
import { oneLine } from "./output.ts";

/** Between two lines where none can be overwritten, in milliseconds. */
const SPARSE_MS = 5_000;
const MOVING_MS = 100;

export class ProgressLine {
  readonly #isMoving = process.stderr.isTTY;
  #shownAt = -Infinity;
  #isOpen = false;

  /** Shows it if the last one was shown long enough ago. */
  show(untrusted: string): void {
    const now = performance.now();
    if (now - this.#shownAt < (this.#isMoving ? MOVING_MS : SPARSE_MS)) return;
    this.#shownAt = now;
    // Back to the start of the line, and away with what the last one said.
    process.stderr.write(
      this.#isMoving ? `\r\u001b[K${oneLine(untrusted)}` : `${oneLine(untrusted)}\n`,
    );
    this.#isOpen = this.#isMoving;
  }

  /** What comes next begins a line of its own. */
  end(): void {
    if (this.#isOpen) process.stderr.write("\n");
    this.#isOpen = false;
  }
}

export function progressText(bytes: number, of: number): string {
  const percent = of === 0 ? 100 : Math.floor((100 * bytes) / of);
  return `${percent} % (${megabytes(bytes)} of ${megabytes(of)} MB)`;
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
