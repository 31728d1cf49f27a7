/**
 * Cuts a byte stream into lines of ASCII; holds at most one unfinished line.
 *
 * @module
 */
export class LineReader {
  readonly #maxLineBytes: number;
  #pending: Buffer = Buffer.alloc(0);

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** @throws RangeError when a line is longer than the limit, whether or not its end has come */
  push(untrusted: Buffer): string[] {
    this.#pending = this.#pending.length ? Buffer.concat([this.#pending, untrusted]) : untrusted;
    const lines: string[] = [];
    for (let end = this.#pending.indexOf(0x0a); end >= 0; end = this.#pending.indexOf(0x0a)) {
      this.#assertShort(end);
      lines.push(this.#pending.toString("latin1", 0, end));
      this.#pending = this.#pending.subarray(end + 1);
    }
    this.#assertShort(this.#pending.length);
    return lines;
  }

  #assertShort(bytes: number): void {
    if (bytes > this.#maxLineBytes) throw new RangeError("a line over its limit");
  }
}
