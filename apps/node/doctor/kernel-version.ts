/**
 * Which kernel runs, and whether a newer one is installed and waits for a reboot.
 *
 * @module
 */
import type { Finding } from "@phantoma/protocol";
import { bad, good } from "./finding.ts";
import { Unreadable, type HostFiles } from "./host-files.ts";

const IMAGE = "vmlinuz-";

export function runningKernel(files: HostFiles): string {
  const release = files.read("/proc/sys/kernel/osrelease").trim();
  // It becomes part of a path.
  if (!/^\d[\w.+~-]{0,64}$/.test(release)) throw new Unreadable("osrelease was not understood");
  return release;
}

/** `6.1.0-50-cloud-amd64` is 6, 1, 0, 50: what follows is its flavour, which has no order. */
export function kernelNumbers(release: string): readonly number[] {
  const [numbers = ""] = /^\d+(?:[.-]\d+)*/.exec(release) ?? [];
  return numbers.split(/[.-]/).map(Number);
}

export function kernelUpdate(files: HostFiles): Finding {
  const running = runningKernel(files);
  const installed = installedKernels(files);
  if (installed.length === 0) throw new Unreadable("no installed kernel was found");
  const newest = installed.reduce((a, b) => (isNewer(b, a) ? b : a));
  if (isNewer(newest, running)) return bad(`${running} runs, ${newest} is installed`);
  // A provider's kernel: what is installed here says nothing about it.
  if (!installed.includes(running)) throw new Unreadable(`${running} is not installed here`);
  return good(running);
}

/** Images, or where there are none, folders of modules. */
function installedKernels(files: HostFiles): readonly string[] {
  const images = files.list("/boot").filter((name) => name.startsWith(IMAGE));
  if (images.length > 0) return images.map((name) => name.slice(IMAGE.length)).filter(isRelease);
  return files.list("/lib/modules").filter(isRelease);
}

function isRelease(name: string): boolean {
  return /^\d/.test(name) && !name.endsWith(".old");
}

function isNewer(a: string, b: string): boolean {
  const [left, right] = [kernelNumbers(a), kernelNumbers(b)];
  for (let place = 0; place < Math.max(left.length, right.length); place += 1) {
    const difference = (left[place] ?? 0) - (right[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
