/**
 * A newer kernel, where it was asked for: the distribution's own packages, by apt. The only step that wants the internet.
 *
 * @module
 */
import { lstatSync, readdirSync } from "node:fs";
import { SETUP_DIR, StepError, type Machine } from "../machine.ts";
import type { Step } from "../step.ts";

const UPDATED_FILE = `${SETUP_DIR}/kernel-updated`;
/** Milliseconds: one who asks again the next day gets the next day's. */
const HOLDS_MS = 86_400_000;
/** Ten minutes for an installation that is going on; files that were changed stay. */
const APT = [
  "-q",
  "-y",
  "-o",
  "DPkg::Lock::Timeout=600",
  "-o",
  "Dpkg::Options::=--force-confdef",
  "-o",
  "Dpkg::Options::=--force-confold",
];

export const kernel: Step = {
  name: "kernel",
  probe: ({ machine, order }) =>
    !order.mayUpdateKernel || !machine.isLive || wasUpdatedToday(machine),
  async apply({ machine }) {
    if (!machine.has("/usr/bin/apt-get"))
      throw new StepError("there is no apt-get here: update the kernel by its own means");
    const packages = await kernelPackages(machine);
    if (packages.length === 0)
      throw new StepError("no package of a kernel is installed: its provider brings it");
    await machine.run("apt-get", ...APT, "update");
    await machine.run("apt-get", ...APT, "--only-upgrade", "--no-remove", "install", ...packages);
    machine.write(UPDATED_FILE, `${packages.join(" ")}\n`, 0o600);
  },
  list: ({ machine }) =>
    machine.has(UPDATED_FILE) ? ["nothing of the kernel that was updated: it stays"] : [],
  undo: ({ machine }) => machine.remove(UPDATED_FILE),
};

/** Whether a kernel lies there that the next boot starts. */
export function isKernelWaiting(machine: Machine): boolean {
  const newest = newestKernel(machine);
  return newest !== undefined && newest !== machine.read("/proc/sys/kernel/osrelease")?.trim();
}

export function newestKernel(machine: Machine): string | undefined {
  if (!machine.has("/boot")) return undefined;
  const versions = readdirSync(machine.path("/boot"))
    .filter((name) => name.startsWith("vmlinuz-"))
    .map((name) => name.slice("vmlinuz-".length));
  return versions.toSorted(new Intl.Collator("en", { numeric: true }).compare).at(-1);
}

/** The packages that always mean the newest one, such as linux-image-amd64. */
async function kernelPackages(machine: Machine): Promise<string[]> {
  const { said } = await machine.end("dpkg-query", [
    "-W",
    "-f=${db:Status-Abbrev} ${Package}\\n",
    "linux-image-*",
  ]);
  return [...said.matchAll(/^ii\s+(linux-image-[a-z][a-z0-9.+-]*)$/gm)].map(([, name]) => name!);
}

function wasUpdatedToday(machine: Machine): boolean {
  if (!machine.has(UPDATED_FILE)) return false;
  return Date.now() - lstatSync(machine.path(UPDATED_FILE)).mtimeMs < HOLDS_MS;
}
