/**
 * A cell: one row tried once, from one unit, in one way; and what came of it.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Row } from "./rows.ts";

/** `control` is outside every policy, `policy` the cgroup alone, `sandbox` all that a unit is started in. */
export type Mode = "control" | "policy" | "sandbox";

export interface Cell {
  readonly number: number;
  readonly row: Row;
  readonly unit: string;
  readonly mode: Mode;
  /** 16 bytes in hexadecimal, made at run time; it travels on standard input only. */
  readonly canary: string;
}

export interface Report {
  /** The last step begun. */
  readonly step: string;
  /** "" when every step could be done. */
  readonly error: string;
  readonly pid: number;
}

export interface Outcome {
  readonly cell: Cell;
  readonly report: Report;
  frames: number;
  /** Hooks of the events that name the cell's process or address. */
  readonly hooks: Set<string>;
}

/** Numbers are addresses too, so no two cells share one; 32767 is the broker's. */
export class Cells {
  readonly byNumber = new Map<number, Cell>();
  readonly byCanary = new Map<string, number>();

  make(row: Row, unit: string, mode: Mode): Cell {
    const number = this.byNumber.size + 1;
    if (number >= 32_767) throw new Error("out of cell numbers");
    const cell = { number, row, unit, mode, canary: randomBytes(16).toString("hex") };
    this.byNumber.set(number, cell);
    this.byCanary.set(cell.canary, number);
    return cell;
  }
}

export function lineOf({ row, number, canary }: Cell): string {
  return `${row.id} ${number} ${canary}`;
}

/** Reads a line of the inside part: `ROW NUMBER STEP ERRNO PID`. */
export function readReport(untrusted: string): { number: number; report: Report } | undefined {
  const match = /^(\S+) (\d+) (\S+) (\d+) (\d+)$/.exec(untrusted);
  if (!match) return undefined;
  const error = Number(match[4]);
  return {
    number: Number(match[2]),
    report: { step: match[3]!, error: error === 0 ? "" : nameOf(error), pid: Number(match[5]) },
  };
}

/** The numbers are Linux's on every processor that Debian builds for. */
const ERRORS: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  3: "ESRCH",
  4: "EINTR",
  13: "EACCES",
  16: "EBUSY",
  19: "ENODEV",
  22: "EINVAL",
  30: "EROFS",
  38: "ENOSYS",
  92: "ENOPROTOOPT",
  93: "EPROTONOSUPPORT",
  94: "ESOCKTNOSUPPORT",
  97: "EAFNOSUPPORT",
  99: "EADDRNOTAVAIL",
  101: "ENETUNREACH",
  110: "ETIMEDOUT",
  111: "ECONNREFUSED",
  113: "EHOSTUNREACH",
  125: "ECANCELED",
};

function nameOf(error: number): string {
  return ERRORS[error] ?? `errno ${error}`;
}
