/**
 * English: what the node's kernel refused, and the policy behind it.
 *
 * @module
 */
export const egress = {
  title: "Egress",
  loading: "Asking the node",
  meaning:
    "With the policy in force, the node's kernel refuses, counts and logs every attempt to call out. This page shows what the node reports about that.",
  policyTitle: "Policy",
  inForce: "In force",
  notInForce: "Not in force",
  noPolicy: "There is no kernel policy on this node",
  inForceText:
    "The node reports that its kernel refuses every connection which the rules of a unit do not list. Root on the node, its hypervisor or a hole in its kernel can undo that, and report it falsely.",
  notInForceText:
    "The node reports that its kernel does not hold the policy. Treat it as a machine that can connect to anything.",
  noPolicyText: "Its kernel refuses nothing and counts nothing. Use it for trying things out only.",
  reason: "Reason: {{reason}}",
  verifiedAt: "Read back and tried",
  neverVerified: "not yet",
  programs: "Programs",
  countingSince: "Counting since",
  tiersTitle: "What the kernel watches",
  tier: {
    cgroup: {
      name: "Network",
      inForce:
        "Connections, datagrams and packets of every unit are refused unless they are listed.",
      missing: "Nothing refuses what a unit sends.",
    },
    unix: {
      name: "Local sockets",
      inForce:
        "The units reach other programs of the machine only through the local sockets listed for them.",
      missing:
        "Whether a unit reaches another program of the machine through a local socket is left to its sandbox.",
    },
    lsm: {
      name: "Sockets from elsewhere",
      inForce:
        "A socket that was made outside a unit and handed in is refused as well, and so is every family but IP.",
      missing:
        "A socket that was made outside a unit and handed in, and families that are not IP, are left to the sandbox of each unit.",
    },
  },
  tierInForce: "in force",
  tierMissing: "missing ({{reason}})",
  tierMissingPlain: "missing",
  daysTitle: "The last 30 days",
  total_zero: "0 attempts in 30 days",
  total_one: "{{count}} attempt in 30 days",
  total_other: "{{count, number}} attempts in 30 days",
  totalSince_zero: "0 attempts since {{day}}",
  totalSince_one: "{{count}} attempt since {{day}}",
  totalSince_other: "{{count, number}} attempts since {{day}}",
  dayAttempts: "{{day}}: {{count, number}}",
  dayNotCounted: "{{day}}: not counted",
  daysLegend: "Each bar is a day in UTC; the highest stands for {{most, number}}.",
  daysLegendNone: "Each mark is a day in UTC. A hollow one was not counted.",
  daysUncounted_one: "{{count}} day in between was not counted.",
  daysUncounted_other: "{{count}} days in between were not counted.",
  countsTitle: "Counts by unit",
  countsMeaning: "Attempts are exact. Logged and not logged always add up to them.",
  unit: "Unit",
  attempts: "Attempts",
  logged: "Logged",
  lost: "Not logged",
  noCounts: "The node reports no units.",
  units: {
    gateway: "takes connections",
    worker: "runs the model",
    clerk: "answers control requests",
    keeper: "holds the node's keys",
    warden: "holds the policy",
    fetcher: "downloads in a window",
    herald: "reports by standing order",
    installer: "installs updates",
    hold: "keeps the policy in place",
    probe: "the warden's own trials, expected",
    unknown: "none of the node's units",
  },
  lostNote_one:
    "{{count}} attempt was refused and counted, but its details did not fit into the log.",
  lostNote_other:
    "{{count, number}} attempts were refused and counted, but their details did not fit into the log.",
  listTitle: "Refused attempts",
  listMeaning: "Newest first, at most {{count}} of them.",
  none: "No attempt was logged.",
  pause: "Pause the list",
  resume: "Resume the list",
  paused_one: "{{count}} new attempt while paused",
  paused_other: "{{count, number}} new attempts while paused",
  time: "Time",
  protocol: "Protocol",
  address: "Address",
  port: "Port",
  hook: "Hook",
  noAddress: "none named",
  gap_one: "{{count}} more in between, counted above and not listed here",
  gap_other: "{{count, number}} more in between, counted above and not listed here",
  heard_one: "{{count}} new refused attempt",
  heard_other: "{{count, number}} new refused attempts",
  stale: "The node does not answer now. What is shown was true at {{time}}.",
} as const;
