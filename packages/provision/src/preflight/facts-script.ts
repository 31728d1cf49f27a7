/**
 * What is asked of a server before anything is sent to it: a script for any `sh` that only reads, and prints a line
 * `name=value` per fact. No program is installed for it, none is needed beyond what Debian calls essential; what is not
 * there is said to be absent.
 *
 * @module
 */

/** @param port that the node would listen on */
export function factsScript(port: number): string {
  return FACTS.replaceAll("@PORT@", String(port));
}

/** Characters of one fact. */
export const MAX_FACT_LENGTH = 200;

const FACTS = `
PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH; LC_ALL=C; export LC_ALL
say() { printf '%s=%s\\n' "$1" "$(printf %s "$2" | tr -cd '\\040-\\176' | cut -c1-${MAX_FACT_LENGTH})"; }
of() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d '"' | head -n1; }
has() { command -v "$1" >/dev/null 2>&1; }
yes() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
echo facts=1
say os "$(of ID)"
say osVersion "$(of VERSION_ID)"
say arch "$(uname -m)"
say kernel "$(uname -r)"
say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
say cgroups "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)"
say btf "$(yes test -r /sys/kernel/btf/vmlinux)"
say isSystemd "$(yes test -d /run/systemd/system)"
say systemd "$(systemctl --version 2>/dev/null | head -n1 | cut -d' ' -f2)"
say virtualisation "$(systemd-detect-virt 2>/dev/null)"
say isContainer "$(yes systemd-detect-virt --container --quiet)"
say memoryKib "$(sed -n 's/^MemTotal: *\\([0-9]*\\) kB$/\\1/p' /proc/meminfo)"
say optKib "$(df -Pk /opt 2>/dev/null | tail -n1 | tr -s ' ' | cut -d' ' -f4)"
say stateKib "$(df -Pk /var/lib 2>/dev/null | tail -n1 | tr -s ' ' | cut -d' ' -f4)"
say avx2 "$(yes grep -qw avx2 /proc/cpuinfo)"
say cores "$(grep -c '^processor' /proc/cpuinfo)"
say clock "$(date +%s)"
if has ss; then say portHolder "$(ss -Hltn 'sport = :@PORT@' 2>/dev/null | head -n1 | cut -c1-1)"; else say portHolder unknown; fi
say aptLock "$(inode=$(stat -c %i /var/lib/dpkg/lock-frontend 2>/dev/null) && grep -q ":$inode " /proc/locks && echo held || echo free)"
say swaps "$(tail -n +2 /proc/swaps | wc -l)"
say hibernation "$(yes grep -qw disk /sys/power/state)"
say missing "$(for p in tar gzip sha256sum systemctl systemd-run systemd-sysusers systemd-tmpfiles; do has $p || printf '%s ' $p; done)"
say release "$(readlink /opt/phantoma/current 2>/dev/null)"
say nodeKey "$(head -c 64 /var/lib/phantoma/devices/node.pub 2>/dev/null)"
say newestKernel "$(ls /boot 2>/dev/null | sed -n 's/^vmlinuz-//p' | sort -V | tail -n1)"
say initOnFree "$(yes grep -qw init_on_free=1 /proc/cmdline)"
say grub "$(has update-grub && yes test -d /etc/default || echo no)"
say ufw "$(has ufw && yes grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf || echo no)"
say firewalld "$(has firewall-cmd && yes systemctl is-active --quiet firewalld || echo no)"
say nftables "$(has nft && yes systemctl is-active --quiet nftables || echo no)"
say cloudInit "$(if [ ! -d /run/cloud-init ]; then echo absent; elif [ -e /run/cloud-init/result.json ]; then echo done; else echo running; fi)"
echo facts=end
`;
