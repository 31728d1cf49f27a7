/**
 * Whether the kernel cleans what is freed, and what else of it could keep a page: swap, hibernation,
 * core dumps, merging.
 *
 * Source: Linux, Documentation/admin-guide (kernel-parameters.txt, sysctl/kernel.rst, mm/ksm.rst).
 *
 * @module
 */
import type { Finding } from "@phantoma/protocol";
import { bad, good } from "./finding.ts";
import { Unreadable, type HostFiles } from "./host-files.ts";
import { kernelNumbers, runningKernel } from "./kernel-version.ts";
import { isNo, isYes, lastSetting } from "./systemd-setting.ts";

/** The first kernel that knows init_on_free. */
const INIT_ON_FREE_SINCE = [5, 3] as const;

export function freedMemory(files: HostFiles): Finding {
  const parameters = kernelParameters(files.read("/proc/cmdline"));
  const kernel = runningKernel(files);
  const [major = 0, minor = 0] = kernelNumbers(kernel);
  const [firstMajor, firstMinor] = INIT_ON_FREE_SINCE;
  if (major < firstMajor || (major === firstMajor && minor < firstMinor))
    return bad(`kernel ${kernel} cannot`);
  // Where poisoning is built in and asked for, the kernel switches cleaning off and says so in its log only.
  if (isOn(parameters.get("page_poison") ?? "0") !== false)
    return bad("page_poison takes its place");
  const asked = parameters.get("init_on_free");
  if (asked === undefined)
    return isBuiltIn(files, kernel) ? good("by the kernel's configuration") : bad();
  const isCleaned = isOn(asked);
  if (isCleaned === undefined) throw new Unreadable(`init_on_free=${asked} was not understood`);
  return isCleaned ? good("init_on_free=1") : bad(`init_on_free=${asked}`);
}

export function swap(files: HostFiles): Finding {
  const [head = "", ...devices] = files.read("/proc/swaps").split("\n").filter(Boolean);
  if (!head.startsWith("Filename")) throw new Unreadable("/proc/swaps was not understood");
  const [first = "", ...others] = devices.map((line) => line.split(/\s/)[0]!);
  if (devices.length === 0) return good();
  return bad(others.length === 0 ? first : `${first} and ${others.length} more`);
}

export function hibernation(files: HostFiles): Finding {
  const states = files.read("/sys/power/state").trim().split(/\s+/);
  if (!states.includes("disk")) return good("the kernel offers none");
  if (files.readIfThere("/sys/power/disk")?.trim() === "[disabled]")
    return good("switched off in the kernel");
  const setting = (name: string) => lastSetting(files, "sleep.conf", name);
  // Unless they are allowed by name, the other two follow the first.
  const others = ["AllowHybridSleep", "AllowSuspendThenHibernate"].map(setting);
  const isRefused = isNo(setting("AllowHibernation")) && !others.some(isYes);
  return isRefused ? good("refused by systemd") : bad();
}

export function coreDumps(files: HostFiles): Finding {
  const crashKernel = files.readIfThere("/sys/kernel/kexec_crash_loaded")?.trim() ?? "0";
  if (crashKernel === "1") return bad("a crash kernel is loaded, it writes all of RAM to a disk");
  if (crashKernel !== "0") throw new Unreadable("kexec_crash_loaded was not understood");
  // Of a program that faults the kernel's log gets what lay around its last instruction; not every processor's has it.
  const trace = files.readIfThere("/proc/sys/debug/exception-trace")?.trim() ?? "0";
  if (trace !== "0") return bad("faults are logged with some of their memory");
  const pattern = files.read("/proc/sys/kernel/core_pattern").trim();
  return /^\|\/(?:usr\/)?bin\/(?:false|true)$/.test(pattern) ? good() : bad(pattern);
}

export function pageMerging(files: HostFiles): Finding {
  const run = files.readIfThere("/sys/kernel/mm/ksm/run")?.trim();
  switch (run) {
    case "0":
    case "2":
      return good();
    case "1":
      return bad();
    case undefined:
      // Without the folder beside it, this is no /sys that says anything.
      if (files.list("/sys/kernel/mm").length === 0) throw new Unreadable("no /sys/kernel/mm");
      return good("not in this kernel");
    default:
      throw new Unreadable("/sys/kernel/mm/ksm/run was not understood");
  }
}

/** The last value of each; what follows `--` is for the first process, not for the kernel. */
function kernelParameters(line: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  // A quoted value may hold spaces, and then words that look like parameters.
  for (const [word] of line.matchAll(/(?:[^\s"]|"[^"]*")+/g)) {
    if (word === "--") break;
    const [name = "", value = ""] = word.split(/=(.*)/s);
    parameters.set(name.replaceAll("-", "_"), value.replaceAll('"', ""));
  }
  return parameters;
}

/** As every kernel reads a truth value; `undefined` where some do not: before 5.19, "true" was no answer. */
function isOn(value: string): boolean | undefined {
  if (/^(?:[yY1]|[oO][nN])/.test(value)) return true;
  return /^(?:[nN0]|[oO][fF])/.test(value) ? false : undefined;
}

/** Unknown where the configuration is not there: then it is off, as everywhere by default. */
function isBuiltIn(files: HostFiles, kernel: string): boolean {
  const config = files.readIfThere(`/boot/config-${kernel}`) ?? "";
  return /^CONFIG_INIT_ON_FREE_DEFAULT_ON=y$/m.test(config);
}
