/**
 * Everything that the doctor finds out about the machine alone.
 *
 * @module
 */
import type { Finding, HostFindings } from "@phantoma/protocol";
import { bad, finding, good } from "./finding.ts";
import { Unreadable, type HostFiles } from "./host-files.ts";
import { kernelUpdate } from "./kernel-version.ts";
import { coreDumps, freedMemory, hibernation, pageMerging, swap } from "./memory-findings.ts";
import { sshPasswords } from "./sshd-passwords.ts";
import { lastSetting } from "./systemd-setting.ts";

export function hostFindings(files: HostFiles): HostFindings {
  return {
    freedMemory: finding(() => freedMemory(files)),
    swap: finding(() => swap(files)),
    hibernation: finding(() => hibernation(files)),
    coreDumps: finding(() => coreDumps(files)),
    pageMerging: finding(() => pageMerging(files)),
    kernelUpdate: finding(() => kernelUpdate(files)),
    sshPasswords: finding(() => sshPasswords(files)),
    logs: finding(() => logs(files)),
  };
}

/** The node's own journal; the machine's holds when units began and ended, and is its owner's affair. */
function logs(files: HostFiles): Finding {
  const kept = files.list("/var/log/journal");
  const own = kept.find((name) => name.endsWith(".phantoma"));
  if (own !== undefined) return bad(`/var/log/journal/${own}`);
  const storage = lastSetting(files, "journald@phantoma.conf", "Storage");
  if (storage === undefined) throw new Unreadable("the node has no journal of its own");
  if (!["volatile", "none"].includes(storage)) return bad(`Storage=${storage}`);
  return good(
    kept.length > 0
      ? "the machine's own journal, on a disk, says when units began and ended"
      : undefined,
  );
}
