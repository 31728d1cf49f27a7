/**
 * Twenty tasks in a row leave the server's memory, descriptors, mounts, files and control groups where they were.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Proof } from "../../proof.ts";
import type { Guest } from "../../vps/guest.ts";
import type { Stage } from "./stage.ts";

const TASKS = 20;
/** What a young heap grows by before it is collected, in KiB. */
const RSS_SLACK_KIB = 16 * 1024;
/** A journal's own block, in KiB. */
const DISK_SLACK_KIB = 1024;
/** The replacement of the last worker has to be warm, as the first one was, in milliseconds. */
const SETTLE_MS = 90_000;

/** As the guest's kernel counts them. */
const COUNTS = `
for unit in gateway keeper; do
  pid=$(systemctl show -P MainPID phantoma-$unit)
  echo "$unit memory $(awk '/^VmRSS/ { print $2 }' /proc/$pid/status)"
  echo "$unit descriptors $(ls /proc/$pid/fd | wc -l)"
done
echo "mounts $(cat /proc/[0-9]*/mountinfo 2>/dev/null | cut -d' ' -f3 | sort -u | wc -l)"
echo "control groups $(find /sys/fs/cgroup/phantoma.slice -type d | wc -l)"
echo "sockets $(wc -l < /proc/net/unix)"
echo "files $(find / -xdev | wc -l)"
echo "files in memory $(find /run /tmp /dev/shm | wc -l)"
echo "disk $(df --output=used / | tail -1)"
`;

const slack: Readonly<Record<string, number>> = {
  "gateway memory": RSS_SLACK_KIB,
  "keeper memory": RSS_SLACK_KIB,
  disk: DISK_SLACK_KIB,
};

export async function tasksInARow(stage: Stage, proof: Proof): Promise<void> {
  const before = await counts(stage.guest);
  for (let task = 0; task < TASKS; task += 1) await runTask(stage);
  const late = Date.now() + SETTLE_MS;
  let after = await counts(stage.guest);
  while (grown(before, after).length > 0 && Date.now() < late) {
    await sleep(5_000);
    after = await counts(stage.guest);
  }
  for (const [what, count] of before)
    proof.row({
      name: `${TASKS} tasks in a row leave it where it was: ${what}`,
      holds: after.get(what)! - count <= (slack[what] ?? 0),
      detail: `${count}, then ${after.get(what)}`,
    });
}

async function runTask(stage: Stage): Promise<void> {
  const conversation = await stage.open({ mode: "turn" });
  await conversation.ask({ text: "Again.", sampling: { temperature: 0, maxTokens: 20 } });
  await conversation.closed;
}

async function counts(guest: Guest): Promise<Map<string, number>> {
  const lines = (await guest.check(COUNTS)).trim().split("\n");
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

function grown(before: Map<string, number>, after: Map<string, number>): string[] {
  return [...before.keys()].filter(
    (what) => after.get(what)! - before.get(what)! > (slack[what] ?? 0),
  );
}
