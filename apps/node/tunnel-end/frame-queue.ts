/**
 * Lets the first, strictly ordered part of a link be read as a story, and the rest by a handler.
 *
 * @module
 */
import type { Frame } from "../ipc/frames.ts";

/** Nothing came in time. */
export class LateFrame extends RangeError {}

export class FrameQueue {
  readonly #waiting: Frame[] = [];
  #wanted: ((frame: Frame) => void) | undefined;
  #handler: ((frame: Frame) => void) | undefined;

  push(frame: Frame): void {
    // The link reuses its buffer; whoever reads later needs bytes of its own.
    const own = { kind: frame.kind, body: Buffer.from(frame.body) };
    if (this.#handler) this.#handler(own);
    else if (this.#wanted) this.#wanted(own);
    else this.#waiting.push(own);
  }

  /**
   * The next frame's body, if it is of this kind.
   *
   * @throws RangeError when it is another, or does not come in time
   */
  async take(kind: number, timeoutMs?: number): Promise<Buffer> {
    const frame = this.#waiting.shift() ?? (await this.#next(timeoutMs));
    if (frame.kind !== kind) throw new RangeError("a frame that is not due");
    return frame.body;
  }

  /** From now on every frame goes to `handler`, those that waited first. */
  handle(handler: (frame: Frame) => void): void {
    this.#handler = handler;
    for (const frame of this.#waiting.splice(0)) handler(frame);
  }

  #next(timeoutMs: number | undefined): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new LateFrame("the peer took too long"));
      const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
      this.#wanted = (frame) => {
        clearTimeout(timer);
        this.#wanted = undefined;
        resolve(frame);
      };
    });
  }
}
