/**
 * A machine's files in a temporary folder, for tests. Not part of the product.
 *
 * @module
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryDir } from "../test-node.ts";
import { HostFiles } from "./host-files.ts";

const SWAPS = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

/** A Debian server on which nothing is left to do. */
const HEALTHY: Readonly<Record<string, string>> = {
  "proc/cmdline":
    "BOOT_IMAGE=/boot/vmlinuz-6.1.0-50-cloud-amd64 root=UUID=1 ro init_on_free=1 quiet\n",
  "proc/swaps": SWAPS,
  "proc/sys/kernel/osrelease": "6.1.0-50-cloud-amd64\n",
  "proc/sys/kernel/core_pattern": "|/bin/false\n",
  "sys/power/state": "freeze mem disk\n",
  "sys/power/disk": "[platform] shutdown reboot suspend test_resume \n",
  "sys/kernel/kexec_crash_loaded": "0\n",
  "sys/kernel/mm/ksm/run": "0\n",
  "boot/vmlinuz-6.1.0-50-cloud-amd64": "",
  "boot/config-6.1.0-50-cloud-amd64": "# CONFIG_INIT_ON_FREE_DEFAULT_ON is not set\n",
  "etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
  "etc/ssh/sshd_config.d/50-cloud-init.conf":
    "PasswordAuthentication no\nKbdInteractiveAuthentication no\n",
  "etc/systemd/sleep.conf.d/phantoma.conf": "[Sleep]\nAllowHibernation=no\n",
  "etc/systemd/journald@phantoma.conf": "[Journal]\nStorage=volatile\n",
};

export const oneSwap = (name: string) => `${SWAPS}${name}   partition  1048572  0  -2\n`;

export class TestHost {
  readonly dir = temporaryDir();
  readonly files = new HostFiles(this.dir);

  /** @param change files by their path; `null` takes one away */
  constructor(change: Readonly<Record<string, string | null>> = {}) {
    for (const [path, text] of Object.entries({ ...HEALTHY, ...change }))
      if (text === null) this.remove(path);
      else this.write(path, text);
  }

  write(path: string, text: string | Uint8Array): void {
    mkdirSync(dirname(join(this.dir, path)), { recursive: true });
    writeFileSync(join(this.dir, path), text);
  }

  remove(path: string): void {
    rmSync(join(this.dir, path), { recursive: true, force: true });
  }
}
