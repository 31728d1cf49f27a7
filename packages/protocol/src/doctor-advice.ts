/**
 * What a finding means for people at a terminal: the fact, its consequence, and one step.
 *
 * @module
 */
import { doctorChecks, type Doctor, type DoctorCheck } from "./doctor-messages.ts";
import type { Finding, WipeGrade } from "./doctor-messages.ts";

interface Advice {
  readonly title: string;
  readonly good: string;
  readonly bad: string;
  /** What follows when it is not good. */
  readonly consequence: string;
  /** The one thing to do then. */
  readonly step: string;
}

export const doctorAdvice: Readonly<Record<DoctorCheck, Advice>> = {
  cell: {
    title: "cell",
    good: "overwrites what a worker has in memory at its end",
    bad: "workers have none",
    consequence: "all that a worker had in memory stays there until it is used again",
    step: "run make -C apps/node/cell and start the node again; its log says what else is in the way",
  },
  freedMemory: {
    title: "freed memory",
    good: "the kernel cleans it",
    bad: "the kernel does not clean it",
    consequence:
      "what a worker gave back before its end can be found in RAM until it is used again",
    step: "add init_on_free=1 to GRUB_CMDLINE_LINUX in /etc/default/grub, run update-grub, reboot",
  },
  swap: {
    title: "swap",
    good: "none",
    bad: "in use",
    consequence: "a page on a swap device outlives its process, on a disk",
    step: "run swapoff -a and take the swap lines out of /etc/fstab",
  },
  hibernation: {
    title: "hibernation",
    good: "off",
    bad: "possible",
    consequence: "it writes the whole of RAM to a disk",
    step: "install phantoma.sleep.conf as /etc/systemd/sleep.conf.d/phantoma.conf, or boot with nohibernate",
  },
  coreDumps: {
    title: "core dumps",
    good: "thrown away",
    bad: "kept",
    consequence: "a crash can write memory to a disk",
    step: "install phantoma.sysctl.conf as /etc/sysctl.d/90-phantoma.conf, run sysctl --system, remove apport and kdump-tools",
  },
  pageMerging: {
    title: "page merging",
    good: "off",
    bad: "on (KSM)",
    consequence: "copies of pages are kept, and other programs can find out what they hold",
    step: "run echo 2 > /sys/kernel/mm/ksm/run and remove what switches it on, such as ksmtuned",
  },
  kernelUpdate: {
    title: "kernel update",
    good: "the newest installed kernel runs",
    bad: "a newer kernel is installed than runs",
    consequence: "holes that are closed in the newer one are open until then",
    step: "reboot",
  },
  sshPasswords: {
    title: "ssh passwords",
    good: "refused",
    bad: "accepted",
    consequence: "whoever guesses one is on the machine, and root there can read every task",
    step: "put PasswordAuthentication no and KbdInteractiveAuthentication no first in /etc/ssh/sshd_config, run systemctl reload ssh",
  },
  logs: {
    title: "node's log",
    good: "in memory only",
    bad: "on a disk",
    consequence: "it says which device came when, also after a power cut",
    step: "install phantoma.journald.conf as /etc/systemd/journald@phantoma.conf, delete /var/log/journal/*.phantoma",
  },
  policy: {
    title: "kernel policy",
    good: "in force",
    bad: "not in force",
    consequence: "nothing keeps the node from calling out",
    step: "run phantoma egress, which says why",
  },
};

/** What may be said of an ended task's memory; "wiped" is said at A only. */
export const wipeWords: Readonly<Record<WipeGrade, string>> = {
  A: "wiped",
  B: "overwritten, residue possible",
  C: "not wiped",
};

/** Whether there is nothing at all for a person to do. */
export function isHealthy({ grade, findings }: Doctor): boolean {
  return grade === "A" && doctorChecks.every((check) => findings[check].isGood);
}

/** The grade with its reason and the step that raises it, then every finding. */
export function doctorLines({ grade, heldBy, findings }: Doctor): string[] {
  const head = [`wipe grade   ${grade}: the memory of a task is ${wipeWords[grade]}`];
  if (heldBy !== null) {
    head.push(`held by      ${doctorAdvice[heldBy].title}: ${factText(heldBy, findings[heldBy])}`);
    head.push(`raised by    ${stepText(heldBy, findings[heldBy])}`);
  }
  return [...head, "", ...doctorChecks.flatMap((check) => findingLines(check, findings[check]))];
}

function findingLines(check: DoctorCheck, finding: Finding): string[] {
  const { title, consequence } = doctorAdvice[check];
  const mark = finding.isGood === null ? "?" : finding.isGood ? " " : "!";
  const fact = `${mark} ${title.padEnd(15)} ${factText(check, finding)}`;
  if (finding.isGood) return [fact];
  const meaning = finding.isGood === null ? "so it counts as not good" : consequence;
  return [fact, `    why it matters: ${meaning}`, `    what to do: ${stepText(check, finding)}`];
}

/** The fact itself, with what was seen. */
function factText(check: DoctorCheck, { isGood, detail }: Finding): string {
  const { good, bad } = doctorAdvice[check];
  const fact = isGood === null ? "could not be read" : isGood ? good : bad;
  return detail === null ? fact : `${fact} (${detail})`;
}

function stepText(check: DoctorCheck, { isGood }: Finding): string {
  const { step } = doctorAdvice[check];
  return isGood === null ? `look on the node itself; where it is not good, ${step}` : step;
}
