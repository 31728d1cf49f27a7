/**
 * What there is of a task in the guest's kernel, and which of it is still there afterwards.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Guest } from "../../vps/guest.ts";
import type { GuestProcess } from "../../vps/processes.ts";

export interface Belongings {
  readonly pids: readonly number[];
  /** The worker's own user, which nobody else has. */
  readonly uid: number;
  readonly cgroup: string;
  readonly namespaces: readonly string[];
  /** Inodes of its sockets. */
  readonly sockets: readonly string[];
}

const SLICE = "/sys/fs/cgroup/phantoma.slice";
/** PID 1 takes an empty unit away a moment after its last process, and an emulated one takes its time. */
const GONE_MS = 30_000;

/** @param ofTask its worker, cell and anchor */
export async function belongings(
  guest: Guest,
  ofTask: readonly GuestProcess[],
): Promise<Belongings> {
  const worker = ofTask.find(({ program, isAnchor }) => program === "node" && !isAnchor)!;
  const pids = ofTask.map(({ pid }) => pid);
  const fds = pids.map((pid) => `/proc/${pid}/fd`).join(" ");
  const sockets = await guest.check(
    `ls -l ${fds} 2>/dev/null | grep -o 'socket:\\[[0-9]*' || true`,
  );
  const namespaces = await guest.check(
    `readlink /proc/${worker.pid}/ns/mnt /proc/${worker.pid}/ns/net /proc/${worker.pid}/ns/ipc`,
  );
  return {
    pids,
    uid: worker.uid,
    cgroup: `${SLICE}/${worker.unit}`,
    namespaces: namespaces.trim().split("\n"),
    sockets: [...new Set(sockets.match(/\d+/g))],
  };
}

/** Waits until nothing of it is there. @returns what still is, in words */
export async function whatRemains(guest: Guest, of: Belongings): Promise<string[]> {
  const late = Date.now() + GONE_MS;
  for (;;) {
    const remains = (await guest.check(script(of))).split("\n").filter((line) => line !== "");
    if (remains.length === 0 || Date.now() > late) return remains;
    await sleep(1_000);
  }
}

function script({ pids, uid, cgroup, namespaces, sockets }: Belongings): string {
  const names = namespaces.map((name) => `-e '${name}'`).join(" ");
  return `
for pid in ${pids.join(" ")}; do test -e /proc/$pid && echo "process $pid"; done
test -e ${cgroup} && echo "its control group"
readlink /proc/[0-9]*/ns/mnt /proc/[0-9]*/ns/net /proc/[0-9]*/ns/ipc | sort -u | grep -xF ${names}
awk '$7 ~ /^(${sockets.join("|") || "none"})$/ { print "socket " $7 }' /proc/net/unix
find / -xdev -uid ${uid} 2>/dev/null | sed 's/^/file /'
find /run /tmp /dev/shm -uid ${uid} 2>/dev/null | sed 's/^/file /'
mount | grep -F 'uid=${uid}' | sed 's/^/mount /'
true`;
}
