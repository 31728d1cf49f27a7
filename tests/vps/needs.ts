/**
 * What this machine must have to make the guest and to run it.
 *
 * @module
 */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** Programs, and the Debian package of each. */
const PROGRAMS: Readonly<Record<string, string>> = {
  debootstrap: "debootstrap",
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-img": "qemu-utils",
  "mkfs.ext4": "e2fsprogs",
  chroot: "coreutils",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  setpriv: "util-linux",
};

/** Why this machine cannot run a guest; `undefined` where it can. */
export function noGuest(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "needs root on Linux: it makes a server for QEMU";
  const missing = Object.entries(PROGRAMS).filter(([program]) => !isInstalled(program));
  const packages = [...new Set(missing.map(([, name]) => name))].join(" ");
  return packages
    ? `needs programs: apt-get install --no-install-recommends ${packages}`
    : undefined;
}

function isInstalled(program: string): boolean {
  return ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin"].some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
