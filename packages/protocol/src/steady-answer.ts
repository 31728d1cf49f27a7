/**
 * How long an answer must look: its end is rounded up, so that records tell little of its length.
 *
 * This file decides; the worker seals a record for every tick until `isOver`.
 *
 *   quiet ──begin──> answering ──finish──> rounding ──bucket full──> quiet
 *                        └──────────── begin (next turn) ─────────┘
 *
 * Specified in PROTOCOL.md, section 6.
 *
 * @module
 */

/** 200 ms at the default tick; the shortest answers all look alike. */
const SMALLEST_BUCKET = 40;
/** Each bucket is a quarter longer than the one before: at most 25 % is added. */
const BUCKET_GROWTH = 1.25;

/** The number of records that an answer of `records` is stretched to. */
export function bucketRecords(records: number): number {
  let bucket = SMALLEST_BUCKET;
  while (bucket < records) bucket = Math.ceil(bucket * BUCKET_GROWTH);
  return bucket;
}

export class SteadyAnswer {
  #records = 0;
  #state: "quiet" | "answering" | "rounding" = "quiet";

  get isActive(): boolean {
    return this.#state !== "quiet";
  }

  /** A turn was accepted: records leave from now on. */
  begin(): void {
    this.#records = 0;
    this.#state = "answering";
  }

  /** Everything that the answer says has been queued. */
  finish(): void {
    if (this.#state === "answering") this.#state = "rounding";
  }

  /**
   * Counts the record that is about to leave.
   *
   * @param isDrained whether it takes the last of what is queued
   * @returns whether it must carry the end of the stream: it fills the bucket
   */
  countRecord(isDrained: boolean): boolean {
    this.#records += 1;
    if (this.#state !== "rounding" || !isDrained) return false;
    if (bucketRecords(this.#records) !== this.#records) return false;
    this.#state = "quiet";
    return true;
  }
}
