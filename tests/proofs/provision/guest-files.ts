/**
 * Every file of a guest that is not a log, a cache or somebody's diary, and how two looks at them differ; and whether a
 * secret was left there in words.
 *
 * @module
 */
import type { Guest } from "../../vps/guest.ts";

/** What Debian's own programs keep of a file before they change it. */
const KNOWN_LEFT = new Set([
  ...["passwd", "group", "shadow", "gshadow", "subuid", "subgid"].map((name) => `/etc/${name}-`),
  // So that sudo greets a user once; it writes it at the first sign-in, whoever signs in.
  "/home/debian/.sudo_as_admin_successful",
]);

export async function filesOfGuest(guest: Guest): Promise<ReadonlyMap<string, string>> {
  const text = await guest.check(
    `find /etc /opt /usr /boot /home /root /var -xdev \\( -path /var/log -o -path /var/cache -o -path /var/lib/systemd -o -path /var/tmp -o -path /var/lib/apt -o -path /var/lib/private \\) -prune -o ! -type d -printf '%p\\t%y %s %m %U %G\\n' -o -type d -printf '%p\\t%y %m %U %G\\n'
     find /etc /boot/grub -xdev -type f -exec sha256sum {} + | sed 's/^\\([0-9a-f]*\\)  \\(.*\\)/\\2 (content)\\t\\1/'`,
  );
  return new Map(
    text
      .trim()
      .split("\n")
      .map((line) => line.split("\t") as [string, string]),
  );
}

export function differencesOf(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .filter((path) => !KNOWN_LEFT.has(path.replace(" (content)", "")));
}

/**
 * In how many lines a text stands among what processes were started with, the journal, and the set-up's own files.
 *
 * The text itself is in no command's line: it would be found there.
 */
export async function tracesOf(guest: Guest, text: string): Promise<number> {
  const found = await guest.check(
    `umask 077; cat > /run/searched-for
     (cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; journalctl --no-pager; cat /var/lib/phantoma-setup/*) 2>/dev/null |
       tr '\\0' '\\n' | grep -acF -f /run/searched-for; rm /run/searched-for`,
    text,
  );
  return Number.parseInt(found, 10);
}
