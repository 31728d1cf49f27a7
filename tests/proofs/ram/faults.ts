/**
 * Faults in the guest, where words lie: the kernel prints the bytes around one, if it is let.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Guest } from "../../vps/guest.ts";
import { CURRENT_DIR } from "../../vps/install-node.ts";
import { TAG } from "./canaries.ts";

const PROGRAM = fileURLToPath(new URL("../../fault.ts", import.meta.url));
const IN_GUEST = "/run/fault.mts";
/** Anywhere in a page. */
const ANY_TAG = TAG.source.slice("^".length, -"$".length);
const run = (pid: number | string) => `${CURRENT_DIR}/bin/node ${IN_GUEST} ${pid} '${ANY_TAG}'`;

export async function fault(guest: Guest, pid: number): Promise<void> {
  await guest.copyTo(PROGRAM, IN_GUEST);
  await guest.check(run(pid));
}

/** Of a program that holds a word, as a kernel prints it whose administrator has not told it otherwise. */
export async function printedFault(guest: Guest, word: string): Promise<void> {
  await guest.copyTo(PROGRAM, IN_GUEST);
  await guest.check(
    `traced=$(cat /proc/sys/debug/exception-trace)
     echo 1 > /proc/sys/debug/exception-trace
     exec 3<&0
     perl -e '$word = <STDIN>; select undef, undef, undef, 0.1 while 1' <&3 & sleep 1
     ${run("$!")}; wait $!
     echo $traced > /proc/sys/debug/exception-trace`,
    `${word}\n`,
  );
}
