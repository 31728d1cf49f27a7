/**
 * The kernel cleans what is freed: a word on its command line, which holds after a reboot. Without GRUB there is nothing
 * here to put it into, and the node keeps grade B.
 *
 * @module
 */
import { SETUP_DIR, type Machine } from "../machine.ts";
import { Wanted, type Step } from "../step.ts";
import { isKernelWaiting, newestKernel } from "./kernel.ts";

/** The last of its folder, so that it adds to what others set. */
const GRUB_FILE = "/etc/default/grub.d/99-phantoma.cfg";
const GRUB_TEXT = `# Phantoma: what is freed is cleaned, so that nothing of a task outlives it.
GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX init_on_free=1"
`;
const MENU = "/boot/grub/grub.cfg";
const WORD = /\binit_on_free=1\b/;
/** Which boot the reboot was asked in, and for which kernel. */
const BOOT_FILE = `${SETUP_DIR}/boot-id`;

export const memory: Step = {
  name: "memory",
  probe: ({ machine, order }) =>
    !order.mayReboot ||
    !hasGrub(machine) ||
    (WORD.test(machine.read(MENU) ?? "") &&
      (machine.read(GRUB_FILE) === GRUB_TEXT || isClean(machine))),
  async apply({ machine }) {
    machine.write(GRUB_FILE, GRUB_TEXT);
    await machine.run("update-grub");
  },
  list: ({ machine }) =>
    machine.has(GRUB_FILE)
      ? [`${GRUB_FILE}: the kernel cleans freed memory until the next reboot`]
      : [],
  async undo({ machine }) {
    if (!machine.has(GRUB_FILE)) return;
    machine.remove(GRUB_FILE);
    if (hasGrub(machine)) await machine.run("update-grub");
  },
};

export const reboot: Step = {
  name: "reboot",
  // A kernel that came up without it once will do so again: the doctor then says why the grade is B.
  probe: ({ machine, order }) =>
    !order.mayReboot ||
    wasAskedInAnotherBoot(machine) ||
    !(
      (hasGrub(machine) && !isClean(machine)) ||
      (order.mayUpdateKernel && isKernelWaiting(machine))
    ),
  apply({ machine }) {
    machine.write(BOOT_FILE, `${bootId(machine)} ${newestKernel(machine) ?? ""}`, 0o600);
    throw new Wanted("reboot");
  },
  list: () => [],
  undo: () => undefined,
};

function hasGrub(machine: Machine): boolean {
  return machine.isLive && machine.has("/usr/sbin/update-grub") && machine.has("/etc/default");
}

function isClean(machine: Machine): boolean {
  return WORD.test(machine.read("/proc/cmdline") ?? "");
}

function bootId(machine: Machine): string {
  return (machine.read("/proc/sys/kernel/random/boot_id") ?? "").trim();
}

function wasAskedInAnotherBoot(machine: Machine): boolean {
  const [boot, kernel] = machine.read(BOOT_FILE)?.split(" ") ?? [];
  if (boot === undefined || boot === bootId(machine)) return false;
  return kernel === undefined || kernel === (newestKernel(machine) ?? "");
}
