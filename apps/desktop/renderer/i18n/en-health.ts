/**
 * English: how well a node wipes, and what of its machine needs a person.
 *
 * @module
 */
export const health = {
  title: "Health",
  loading: "Asking the node",
  meaning:
    "What is left of a task in the node's memory when it has ended, and what of its machine needs you. This page shows what the node reports; a node that was taken over can report anything.",
  gradeTitle: "Wipe grade",
  grade: {
    A: "A: wiped",
    B: "B: overwritten, residue possible",
    C: "C: not wiped",
  },
  gradeText: {
    A: "The node's kernel cleans all memory that is given back, and nothing of its machine could keep a page.",
    B: "The cell overwrites what a worker has in memory at its end. What the worker gave back before, or what the machine kept elsewhere, may still be found.",
    C: "Nobody overwrites what a worker had in memory. It stays there until it is used again.",
  },
  heldBy: "What holds it down: {{fact}}.",
  step: "What to do: {{step}}",
  readAt: "The machine was looked at {{time}}.",
  notRead: "Nobody could look at the machine.",
  findings: "Findings",
  unread: "could not be read",
  unreadText: "It counts as not good.",
  unreadStep: "Look on the node itself. Where it is not good: {{step}}",
  check: {
    cell: {
      title: "Cell",
      good: "overwrites what a worker has in memory at its end",
      bad: "workers have none",
      consequence: "All that a worker had in memory stays there until it is used again.",
      step: "Run make -C apps/node/cell and start the node again. Its log says what else is in the way.",
    },
    freedMemory: {
      title: "Freed memory",
      good: "cleaned by the kernel",
      bad: "not cleaned by the kernel",
      consequence:
        "What a worker gave back before its end can be found in RAM until it is used again.",
      step: "Add init_on_free=1 to GRUB_CMDLINE_LINUX in /etc/default/grub, run update-grub, reboot.",
    },
    swap: {
      title: "Swap",
      good: "none",
      bad: "in use",
      consequence: "A page on a swap device outlives its process, on a disk.",
      step: "Run swapoff -a and take the swap lines out of /etc/fstab.",
    },
    hibernation: {
      title: "Hibernation",
      good: "off",
      bad: "possible",
      consequence: "It writes the whole of RAM to a disk.",
      step: "Install phantoma.sleep.conf as /etc/systemd/sleep.conf.d/phantoma.conf, or boot with nohibernate.",
    },
    coreDumps: {
      title: "Core dumps",
      good: "thrown away",
      bad: "kept",
      consequence: "A crash can write memory to a disk.",
      step: "Install phantoma.sysctl.conf as /etc/sysctl.d/90-phantoma.conf, run sysctl --system, remove apport and kdump-tools.",
    },
    pageMerging: {
      title: "Page merging",
      good: "off",
      bad: "on",
      consequence: "Copies of pages are kept, and other programs can find out what they hold.",
      step: "Run echo 2 > /sys/kernel/mm/ksm/run and remove what switches it on, such as ksmtuned.",
    },
    policy: {
      title: "Kernel policy",
      good: "in force",
      bad: "not in force",
      consequence: "Nothing keeps the node from calling out.",
      step: "See Egress, which says why.",
    },
    kernelUpdate: {
      title: "Kernel update",
      good: "the newest installed kernel runs",
      bad: "a newer kernel is installed than runs",
      consequence: "Holes that are closed in the newer one stay open until then.",
      step: "Reboot the node.",
    },
    sshPasswords: {
      title: "SSH passwords",
      good: "refused",
      bad: "accepted",
      consequence: "Whoever guesses one is on the machine, and root there can read every task.",
      step: "Put PasswordAuthentication no and KbdInteractiveAuthentication no first in /etc/ssh/sshd_config, run systemctl reload ssh.",
    },
    logs: {
      title: "Node's log",
      good: "in memory only",
      bad: "on a disk",
      consequence: "It says which device came when, also after a power cut.",
      step: "Install phantoma.journald.conf as /etc/systemd/journald@phantoma.conf, delete /var/log/journal/*.phantoma.",
    },
  },
} as const;
