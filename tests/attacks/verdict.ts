/**
 * What each row must show in each unit, and what it showed. Decides; starts nothing.
 *
 * @module
 */
import type { Outcome, Report } from "./cell.ts";
import { UNKNOWN_UNIT, type Row } from "./rows.ts";

export type Expected =
  /** No frame, and the attempt is in the log or counted as lost where a hook refused it. */
  | "blocked"
  /** The unit's own work. */
  | "permitted"
  /** Only BPF LSM, or a hook that this kernel lacks, could stop it; never counted as blocked. */
  | "open on this kernel"
  /** This kernel, or this machine, has nothing of the kind. */
  | "absent here"
  | "not claimed";

export type Seen = Expected | "passed" | "not logged" | "work refused" | "no result";

export interface Verdict {
  readonly row: Row;
  readonly unit: string;
  readonly expected: Expected;
  readonly seen: Seen;
  /** The layer that ended it, with the kernel policy alone and in the unit's sandbox. */
  readonly stoppedBy: string;
  readonly isLogged: boolean;
  readonly frames: number;
}

export interface Place {
  readonly tiers: readonly string[];
  /** Rows whose control said that there is nothing of the kind here. */
  readonly absentRows: ReadonlySet<string>;
  /** Events of this unit that found no room in the ring. */
  readonly lost: number;
  /** Whether the unit's sandbox leaves it a network. */
  readonly hasNetwork: boolean;
}

/** @param isSystemd every unit has a user of its own, and nobody hands it sockets */
export function appliesTo(
  row: Row,
  unit: string,
  mode: "policy" | "sandbox",
  isSystemd: boolean,
): boolean {
  if (row.isGatewayOnly && unit !== "gateway") return false;
  if (mode === "policy") return row.stopper !== "sandbox" && row.stopper !== "nobody";
  return unit !== UNKNOWN_UNIT && !(isSystemd ? row.isHanded : row.isUserBound);
}

export function expectedVerdict(row: Row, tiers: readonly string[], isAbsent: boolean): Expected {
  if (row.stopper === "nobody") return "not claimed";
  if (isAbsent) return "absent here";
  if (row.isWork) return "permitted";
  if (row.stopper === "lsm" && !tiers.includes("lsm")) return "open on this kernel";
  if (row.stopper === "unix" && !tiers.includes("unix") && !tiers.includes("lsm"))
    return "open on this kernel";
  return "blocked";
}

/** What the control run says of a row: that its leak shows, that it cannot exist here, or that it proves nothing. */
export function controlVerdict({
  cell,
  report,
  frames,
}: Outcome): "leaks" | "absent" | "worthless" {
  const { row } = cell;
  if (row.isDoneLeak ? report.error === "" : frames > 0) return "leaks";
  if (row.mayBeAbsent && ABSENCE.has(report.error)) return "absent";
  return "worthless";
}

/** Judges a row in one unit by all of its cells there. */
export function judge(row: Row, unit: string, outcomes: readonly Outcome[], place: Place): Verdict {
  const expected = expectedVerdict(row, place.tiers, place.absentRows.has(row.id));
  const policy = outcomes.find(({ cell }) => cell.mode === "policy");
  const sandbox = outcomes.find(({ cell }) => cell.mode === "sandbox");
  const leaked = outcomes.filter((outcome) => isLeak(outcome));
  const frames = outcomes.reduce((sum, outcome) => sum + outcome.frames, 0);
  const isLogged = outcomes.some(({ hooks }) => hooks.size > 0);
  const common = {
    row,
    unit,
    expected,
    isLogged,
    frames,
    stoppedBy: expected === "absent here" ? "" : layers(policy, sandbox),
  };
  if (outcomes.length === 0 || outcomes.some(({ report }) => report.step === "none"))
    return { ...common, seen: "no result" };
  switch (expected) {
    case "permitted":
      return { ...common, seen: frames > 0 ? "permitted" : "work refused" };
    case "blocked":
      if (leaked.length > 0) return { ...common, seen: "passed" };
      return { ...common, seen: isToldOf(row, policy, sandbox, place) ? "blocked" : "not logged" };
    default:
      return { ...common, seen: expected };
  }
}

/** Ways for an attempt to end in a kernel, or on a machine, that has nothing of the kind. */
const ABSENCE = new Set([
  "EPROTONOSUPPORT",
  "ESOCKTNOSUPPORT",
  "EAFNOSUPPORT",
  "ENOENT",
  "ENODEV",
  "ENOSYS",
  "ENOPROTOOPT",
]);

function isLeak({ cell, report, frames }: Outcome): boolean {
  return cell.row.isDoneLeak ? report.error === "" : frames > 0;
}

/**
 * Whether every cell that a hook refused left a trace. The cgroup alone must always tell; in the sandbox an
 * attempt may end before it reaches a hook, and then ends at another step or with another error.
 */
function isToldOf(
  { stopper, call, isRoot }: Row,
  policy: Outcome | undefined,
  sandbox: Outcome | undefined,
  { lost, hasNetwork }: Place,
): boolean {
  if (stopper !== "cgroup" || lost > 0) return true;
  if (policy && policy.hooks.size === 0) return false;
  // Nobody can call in where there is no network: no packet, so no hook. Root's rights end before any hook as well.
  if (!policy || !sandbox || isRoot || (call && !hasNetwork)) return true;
  const isSameEnd =
    policy.report.step === sandbox.report.step && policy.report.error === sandbox.report.error;
  return !isSameEnd || sandbox.hooks.size > 0;
}

function layers(policy: Outcome | undefined, sandbox: Outcome | undefined): string {
  const alone = policy && layer(policy);
  const inside = sandbox && layer(sandbox);
  if (!alone || !inside || alone === inside) return inside ?? alone ?? "";
  return `${alone}; in the sandbox ${inside}`;
}

/** Names what ended one cell, from the hook that told of it or from the error. */
function layer(outcome: Outcome): string {
  if (isLeak(outcome)) return "nothing";
  const { hooks, report } = outcome;
  if (hooks.size > 0) return [...hooks].sort().join("+");
  return layerOfError(report);
}

function layerOfError({ step, error }: Report): string {
  switch (error) {
    case "EAFNOSUPPORT":
      return "seccomp, family list";
    case "ENETUNREACH":
    case "ENODEV":
    case "EADDRNOTAVAIL":
      return "empty network namespace";
    case "ENOENT":
      return `out of sight (${step})`;
    case "EACCES":
    case "EROFS":
      return `permission (${step})`;
    case "EPERM":
      return `rights or seccomp (${step})`;
    case "":
      return "no frame";
    default:
      return `${error} (${step})`;
  }
}
