/**
 * Refused attempts: the newest in memory, and on disk how many there were each day, as numbers only.
 *
 * @module
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { EgressCount, EgressEvent } from "@phantoma/protocol";
import { z } from "zod";
import type { WardenEvent, WardenStatus } from "./warden-words.ts";

/** A flood shows its newest 10,000; its size is in the counts. About 3 MB. */
export const MAX_EVENTS = 10_000;
/** What "0 attempts in 30 days" is said about. */
const MAX_DAYS = 30;

const daysSchema = z.strictObject({
  /** Which counting the last total belongs to: a boot begins a new one. */
  bootId: z.string().max(64),
  countingSince: z.int().nonnegative(),
  /** Attempts of this counting that are in `days` already. */
  total: z.int().nonnegative(),
  days: z
    .array(z.strictObject({ day: z.string().max(10), attempts: z.int().nonnegative() }))
    .max(MAX_DAYS),
});

type Days = z.infer<typeof daysSchema>;

export class EgressLog {
  readonly #path: string;
  #days: Days | undefined;
  #events: EgressEvent[] = [];
  #latest = 0;
  #counts: EgressCount[] = [];

  /** @param path the keeper's own file */
  constructor(path: string) {
    this.#path = path;
    this.#days = readDays(path);
  }

  get latest(): number {
    return this.#latest;
  }

  get counts(): readonly EgressCount[] {
    return this.#counts;
  }

  /** @returns when the present counting began; `undefined` before the warden was ever heard */
  get countingSince(): number | undefined {
    return this.#days?.countingSince;
  }

  get days(): readonly { day: string; attempts: number }[] {
    return this.#days?.days ?? [];
  }

  /** @param at milliseconds since 1970 */
  add({ unit, hook, protocol, address, port }: WardenEvent, at: number): void {
    this.#latest += 1;
    this.#events.push({ sequence: this.#latest, at, unit, hook, protocol, address, port });
    // In blocks: moving ten thousand entries for each of a flood would cost more than the flood.
    if (this.#events.length >= 2 * MAX_EVENTS) this.#events = this.#events.slice(-MAX_EVENTS);
  }

  /** The oldest that are kept and have a sequence above `after`. */
  since(after: number, limit: number): EgressEvent[] {
    const kept = this.#events.slice(-MAX_EVENTS);
    const first = kept[0]?.sequence ?? 0;
    const start = Math.max(0, after + 1 - first);
    return kept.slice(start, start + limit);
  }

  /** Takes the warden's counts, and what is new in them into today. */
  observe({ bootId, counts }: Pick<WardenStatus, "bootId" | "counts">, now: number): void {
    this.#counts = counts;
    // The warden's own probe is refused on purpose, and proves that counting works.
    const counted = counts.filter(({ unit }) => unit !== "probe");
    const total = counted.reduce((sum, { attempts }) => sum + attempts, 0);
    const last = this.#days;
    const goesOn = last?.bootId === bootId && last.total <= total;
    const fresh = goesOn ? total - last.total : total;
    const today = new Date(now).toISOString().slice(0, 10);
    const days = (last?.days ?? []).filter(({ day }) => day !== today).slice(1 - MAX_DAYS);
    const before = last?.days.find(({ day }) => day === today);
    const next: Days = {
      bootId,
      countingSince: goesOn ? last.countingSince : now,
      total,
      days: [...days, { day: today, attempts: (before?.attempts ?? 0) + fresh }],
    };
    const hasChanged = !goesOn || fresh > 0 || !before;
    this.#days = next;
    if (hasChanged) this.#write();
  }

  /** Where it cannot be written (a full disk), the numbers are still in memory. */
  #write(): void {
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(this.#days), { mode: 0o600, flush: true });
      renameSync(`${this.#path}.new`, this.#path);
    } catch {
      return;
    }
  }
}

function readDays(path: string): Days | undefined {
  try {
    return daysSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // Absent at first; one that cannot be read begins anew rather than stop the node.
    return undefined;
  }
}
