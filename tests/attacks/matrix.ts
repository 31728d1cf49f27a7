/**
 * Gives every frame and every event to the cell that it belongs to.
 *
 * @module
 */
import type { Outcome } from "./cell.ts";
import { cellOf, isLinkNoise, isReset } from "./frames.ts";
import type { EgressEvent } from "./warden.ts";

/** @returns frames that belong to nobody and are not the link's own */
export function countFrames(
  outcomes: readonly Outcome[],
  frames: readonly string[],
  byCanary: ReadonlyMap<string, number>,
): string[] {
  const byNumber = new Map(outcomes.map((outcome) => [outcome.cell.number, outcome]));
  const strays: string[] = [];
  for (const frame of frames) {
    if (!/^[0-9a-f]{28,}$/.test(frame)) continue;
    const owner = cellOf(frame, byCanary);
    const outcome = owner && byNumber.get(owner.number);
    // Nobody listens any more when the far end calls once too often.
    if (outcome?.cell.row.call && isReset(frame)) continue;
    if (outcome) {
      if (owner.hasCanary || !outcome.cell.row.isCanaryOnly) outcome.frames += 1;
    } else if (!owner && !isLinkNoise(frame)) strays.push(frame);
  }
  return strays;
}

/** An event belongs to a cell by its process, or by the address that only this cell uses. */
export function assignEvents(outcomes: readonly Outcome[], events: readonly EgressEvent[]): void {
  const byPid = new Map(outcomes.map((outcome) => [outcome.report.pid, outcome]));
  const byNumber = new Map(outcomes.map((outcome) => [outcome.cell.number, outcome]));
  for (const { pid, address, hook } of events) {
    const number = numberOf(address);
    const outcome = (number && byNumber.get(number)) || (pid > 0 && byPid.get(pid));
    if (outcome) outcome.hooks.add(hook);
  }
}

/** 10.9.x.y, ::ffff:10.9.x.y and fd09::n, as attempts/cell.c makes them. */
function numberOf(address: string): number | undefined {
  const four = /(?:^|:)10\.9\.(\d+)\.(\d+)$/.exec(address);
  if (four) return Number(four[1]) * 256 + Number(four[2]);
  const six = /^fd09::([0-9a-f]+)$/.exec(address);
  return six ? Number.parseInt(six[1]!, 16) : undefined;
}
