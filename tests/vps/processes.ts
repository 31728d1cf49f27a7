/**
 * The node's processes in the guest, as its kernel tells them apart. PID 1 making a unit, and the check of
 * the policy that it runs first, are in the unit's group for a moment and are none of ours.
 *
 * @module
 */
import type { Guest } from "./guest.ts";

export interface GuestProcess {
  readonly pid: number;
  /** The number, which is what the kernel knows: a dynamic user's name goes with it. */
  readonly uid: number;
  /** The control group below `phantoma.slice`. */
  readonly unit: string;
  readonly networkNamespace: string;
  /** The name of its program's file. */
  readonly program: string;
  readonly parent: number;
  /** An anchor: it has a worker's or clerk's memory, and never runs. */
  readonly isAnchor: boolean;
}

const SLICE = "/sys/fs/cgroup/phantoma.slice";

const LIST = `
for file in $(find ${SLICE} -name cgroup.procs); do
  for pid in $(cat $file); do
    case "$(readlink /proc/$pid/exe) $file" in
      *'/warden '*phantoma-warden*) ;;
      *'/warden '* | *'/systemd '*) continue ;;
    esac
    uid=$(awk '/^Uid:/ { print $2 }' /proc/$pid/status 2>/dev/null) || continue
    state=$(awk '/^State:/ { print $2 }' /proc/$pid/status)
    parent=$(awk '/^PPid:/ { print $2 }' /proc/$pid/status)
    echo "$pid $parent $uid $(readlink /proc/$pid/ns/net) $(basename "$(readlink /proc/$pid/exe)") $state $(dirname $file)"
  done
done`;

export async function processesInGuest(guest: Guest): Promise<GuestProcess[]> {
  const lines = (await guest.check(LIST)).trim().split("\n");
  return lines.map((line) => {
    const [pid = "", parent = "", uid = "", networkNamespace = "", ...more] = line.split(" ");
    const [program = "", state = "", dir = ""] = more;
    return {
      pid: Number(pid),
      parent: Number(parent),
      uid: Number(uid),
      networkNamespace,
      program,
      // Stopped by its tracer, or by a signal while its tracers change.
      isAnchor: state.toLowerCase() === "t",
      unit: dir.slice(SLICE.length + 1),
    };
  });
}

/** Units of which two have the same user. */
export function sharedUsers(processes: readonly GuestProcess[]): string[] {
  const unitOf = new Map<number, string>();
  return processes.flatMap(({ uid, unit }) => {
    const other = unitOf.get(uid);
    unitOf.set(uid, unit);
    return other === undefined || other === unit ? [] : [`${other} and ${unit}`];
  });
}

/** The workers themselves: neither their cells nor their anchors. */
export function workersOf(processes: readonly GuestProcess[]): GuestProcess[] {
  return processes.filter(
    ({ unit, program, isAnchor }) =>
      unit.includes("phantoma-worker@") && program === "node" && !isAnchor,
  );
}
