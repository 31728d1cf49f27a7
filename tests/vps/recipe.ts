/**
 * What the guest is made of, and where it is kept: outside the repository, in a folder named by the
 * hash of all that goes into it, so that a changed recipe is a new guest.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";

/** Debian 12: the oldest kernel (6.1) and systemd (252) that a node supports. */
export const SUITE = "bookworm";

/** What a rented server has on its first day, and no more: neither Node nor a compiler. */
export const PACKAGES = [
  "linux-image-cloud-amd64",
  "grub-pc",
  "systemd",
  "systemd-sysv",
  "libpam-systemd",
  "dbus",
  "udev",
  "kmod",
  "openssh-server",
  "sudo",
  "ca-certificates",
  "iproute2",
  "procps",
  "e2fsprogs",
] as const;

/** Node, a release and a small model need 1 GiB; the file is sparse. */
export const DISK_BYTES = 6 * 1024 ** 3;

/** Where the one partition begins, as every partitioning program of the last ten years puts it. */
export const PARTITION_OFFSET = 1024 ** 2;

/** The console goes to the serial port, as on every rented server, and with it into the log. */
export const KERNEL_ARGUMENTS = "root=/dev/vda1 rw console=tty0 console=ttyS0";

/** Files of the guest that are not Debian's own. */
export const FILES: Readonly<Record<string, string>> = {
  "etc/hostname": "vps\n",
  "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 vps\n::1 localhost\n",
  "etc/fstab": "/dev/vda1 / ext4 defaults,errors=remount-ro 0 1\n",
  "etc/systemd/network/10-uplink.network": "[Match]\nName=en* eth*\n\n[Network]\nDHCP=ipv4\n",
  "etc/default/grub.d/90-serial.cfg":
    'GRUB_TIMEOUT=1\nGRUB_TERMINAL="console serial"\nGRUB_CMDLINE_LINUX="console=tty0 console=ttyS0"\n',
  "etc/sudoers.d/debian": "debian ALL=(ALL) NOPASSWD: ALL\n",
};

/** Run inside the unpacked system before its first boot. */
export const COMMANDS = [
  "systemctl enable systemd-networkd ssh serial-getty@ttyS0",
  "useradd --create-home --shell /bin/bash --groups sudo debian",
  "apt-get clean",
] as const;

/** A change of the builder itself that makes another guest is said here. */
const BUILDER = 1;

/**
 * What an emulated processor is slow at is left out: `rep stosb` goes byte by byte (without it a boot takes half
 * the time), and llama.cpp's code for AVX2, FMA and F16C takes twice as long as that for AVX. States that were
 * saved belong to one processor.
 */
export const PROCESSOR = "max,-erms,-fsrm,-avx2,-fma,-f16c";

const recipe = [SUITE, PACKAGES, DISK_BYTES, KERNEL_ARGUMENTS, FILES, COMMANDS, PROCESSOR, BUILDER];
const hash = createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 16);

export const cacheDir = join(homedir(), ".cache/phantoma/vps");

/** The finished guest: `disk.raw`, `vmlinuz`, `initrd`, `ssh_key`, `known_hosts`. */
export const imageDir = join(cacheDir, hash);
