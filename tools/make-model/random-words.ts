/**
 * A fast, seeded stream of 32-bit words: the same seed gives the same words on every machine.
 * It is not for secrets; it fills weights that nobody has to guess.
 *
 * Source: sfc32 of PractRand 0.95 (Chris Doty-Humphrey), public domain.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** One stream; a stream for each tensor keeps a tensor's weights independent of its neighbours. */
export class RandomWords {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    const digest = createHash("sha256").update(seed).digest();
    this.#a = digest.readInt32LE(0);
    this.#b = digest.readInt32LE(4);
    this.#c = digest.readInt32LE(8);
  }

  /** Overwrites every word of `words` with the next words of the stream. */
  drawInto(words: Uint32Array): void {
    // Locals, not fields, in the loop: four times as fast, and a large model is 125 million words.
    let a = this.#a;
    let b = this.#b;
    let c = this.#c;
    let counter = this.#counter;
    for (let index = 0; index < words.length; index++) {
      const word = (a + b + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + word) | 0;
      words[index] = word;
    }
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#counter = counter;
  }
}
