/**
 * The refused attempts that the page holds: the newest few, whatever a flood brings.
 *
 * The page asks for what is new and never holds more than one answer's worth, so that a hundred
 * thousand attempts cost as much as two hundred. What it skipped is a number between two rows.
 *
 * @module
 */
import type { Attempt, Egress } from "../../ipc/contract.ts";

/** As many as one answer carries, and more than anybody reads. */
export const MAX_ROWS = 200;

export interface AttemptLog {
  readonly egress: Egress;
  /** Newest first. */
  readonly rows: readonly Attempt[];
  /** Up to here it was read. */
  readonly through: number;
  /** When, in milliseconds since 1970 UTC by this machine. */
  readonly readAt: number;
}

/** Asks for what was logged after a sequence. */
export type ReadEgress = (after: number) => Promise<Egress>;

/** The log with what is new. @param before what was held of the same node */
export async function readOn(
  before: AttemptLog | undefined,
  read: ReadEgress,
): Promise<AttemptLog> {
  let known = before;
  let egress = await read(known?.through ?? 0);
  if (known && egress.latest < known.through) {
    // The node counts anew: what was held belongs to the count of before.
    known = undefined;
    egress = await read(0);
  }
  const newest = egress.latest - MAX_ROWS;
  // An answer begins with the oldest; what a flood pushed out of reach is skipped.
  const through = known?.through ?? 0;
  if (newest > through) egress = await read(newest);
  const fresh = egress.events.filter(({ sequence }) => sequence > through).toReversed();
  return {
    egress,
    rows: [...fresh, ...(known?.rows ?? [])].slice(0, MAX_ROWS),
    through: fresh[0]?.sequence ?? through,
    readAt: Date.now(),
  };
}

/** How many lie between this row and the one below it, unseen. */
export function skippedBelow(rows: readonly Attempt[], place: number): number {
  const [above, below] = [rows[place], rows[place + 1]];
  return above && below ? above.sequence - below.sequence - 1 : 0;
}
