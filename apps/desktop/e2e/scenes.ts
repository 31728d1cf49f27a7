/**
 * What the fake console says in each state that is looked at.
 *
 * @module
 */
import type {
  ConsoleState,
  Conversation,
  Doctor,
  Egress,
  Message,
  Metrics,
  NodeView,
  NodeWindow,
  Proposal,
  Receipt,
  SavedDevices,
  SavedList,
  Transfer,
  Worker,
} from "../ipc/contract.ts";

const BEGUN_AT = Date.UTC(2026, 10, 20, 9, 0, 0);
/** Stands for a time that is still to come when the page is looked at; see {@link soon}. */
const DEADLINE = 7_000_000_000_000;

/** The scene with its worker ending in a minute and three quarters. */
export const soon = <T>(scene: T): T =>
  JSON.parse(JSON.stringify(scene).replaceAll(String(DEADLINE), String(Date.now() + 105_000)));

const hex = (digit: string) => digit.repeat(64);
const id = (digit: string) => digit.repeat(16);

export const node: NodeView = {
  id: hex("a"),
  name: "Demo node",
  url: "wss://127.0.0.1:41807",
  kind: "demo",
  isConfirmed: true,
  fingerprint: {
    digits: "48213 09918 77120 55431 20984 11093 66720 31847 90012 45518 73306 18420",
    words:
      "harbor linen copper violet meadow signal timber oyster canyon ribbon walnut ember".split(
        " ",
      ),
    blocks: [0, 3, 5, 6, 1, 7, 2, 4, 4, 2, 6, 5, 3, 0, 7, 1],
  },
  state: "online",
  error: null,
  starter: "gateway",
  policy: "demo",
  policyReason: null,
  role: "admin",
};

export const state: ConsoleState = {
  version: "0.1.0",
  shell: "web",
  keyStore: { backend: "file", isProtected: false, note: "KEY_FILE" },
  nodes: [node],
  demo: { step: "ready", nodeId: node.id, error: null },
  settings: { theme: "system", language: "system" },
};

export const saved: SavedList = {
  saved: [
    {
      id: id("5"),
      title: "Why logrotate needs copytruncate",
      model: "demo",
      changedAt: BEGUN_AT,
      messages: 6,
      isSynced: true,
    },
    {
      id: id("6"),
      title: "A long title that does not fit into the sidebar and has to be cut off somewhere",
      model: "demo",
      changedAt: BEGUN_AT - 86_400_000,
      messages: 2,
      isSynced: false,
    },
  ],
  total: 2,
  node: hex("a"),
};

export const devices: SavedDevices = {
  own: node.fingerprint,
  devices: [{ key: hex("7"), name: "Laptop", fingerprint: node.fingerprint }],
};

export const withoutNode: ConsoleState = {
  ...state,
  nodes: [],
  demo: { step: "idle", nodeId: null, error: null },
};

const metrics: Metrics = { tokens: 214, tokensPerSecond: 57.6, firstTokenMs: 96, addedMs: 11 };

export function message(
  digit: string,
  parent: string | null,
  role: Message["role"],
  text: string,
  change: Partial<Message> = {},
): Message {
  return {
    id: id(digit),
    parent: parent === null ? null : id(parent),
    role,
    text,
    state: "complete",
    metrics: role === "assistant" ? metrics : null,
    createdAt: BEGUN_AT,
    errorCode: null,
    finishReason: role === "assistant" ? "stop" : null,
    ...change,
  };
}

export const noWorker: Worker = {
  state: "none",
  queuePosition: null,
  idleDeadline: null,
  task: null,
  endReason: null,
};

export const liveWorker: Worker = {
  ...noWorker,
  state: "live",
  task: hex("b"),
  idleDeadline: DEADLINE,
};

export function conversation(
  messages: readonly Message[],
  change: Partial<Conversation> = {},
): Conversation {
  return {
    id: id("1"),
    nodeId: node.id,
    model: { digest: hex("c"), name: "demo" },
    mode: "conversation",
    title: "Rotating logs without losing a line",
    createdAt: BEGUN_AT,
    updatedAt: BEGUN_AT,
    worker: noWorker,
    messages: [...messages],
    head: messages.at(-1)?.id ?? null,
    draft: "",
    ...change,
  };
}

export const answerText = `A log can be rotated without losing a line if the writer is **told to reopen its file**, not if the file is moved under it.

1. Rename \`app.log\` to \`app.log.1\`. The process keeps writing to the same inode.
2. Send it \`SIGHUP\`. It opens a new \`app.log\`.
3. Compress the old file once nothing holds it open.

| Method | Loses lines | Needs a signal |
|---|---|---|
| rename and reopen | no | yes |
| copy and truncate | sometimes | no |
| pipe to a logger | no | no |

\`\`\`ts
process.on("SIGHUP", () => {
  const before = stream;
  stream = createWriteStream(path, { flags: "a" }); // the new inode
  before.end();
});
\`\`\`

See [the manual](https://man7.org/linux/man-pages/man8/logrotate.8.html). ![a diagram](https://example.org/d.png)`;

export const dialogue = [
  message("1", null, "user", "How do I rotate a log file without losing lines?"),
  message("2", "1", "assistant", answerText),
  message("3", "2", "user", "And if I cannot change the program?"),
  message("4", "2", "user", "What if the program ignores SIGHUP?"),
  message(
    "5",
    "4",
    "assistant",
    "Then use `copytruncate`: the log is copied and cut to zero length. Lines written **between** the two steps are lost.",
  ),
] as const;

export const receipt: Receipt = {
  task: hex("b"),
  sequence: 7,
  epoch: BEGUN_AT,
  model: hex("c"),
  release: hex("d"),
  certifiedAt: BEGUN_AT,
  endedAt: BEGUN_AT + 184_000,
  grade: "C",
  cell: null,
  warden: null,
  isOwn: true,
  document: "c2lnbmVk",
};

export const status = {
  version: "0.1.0",
  release: hex("d"),
  starter: "gateway",
  policy: "demo",
  nodeTime: BEGUN_AT,
  startedAt: BEGUN_AT,
  tasksLive: 1,
  tasksDone: 6,
  deviceListVersion: 1,
} as const;

export const models = [{ digest: hex("c"), name: "demo", bytes: 4_213_000 }];

/** The days of a scene end today, whenever that is. */
const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);

const units = ["gateway", "worker", "clerk", "keeper", "warden", "fetcher", "probe", "unknown"];
const none = { attempts: 0, logged: 0, lost: 0 };

export const quietEgress: Egress = {
  policy: {
    isInForce: true,
    fault: null,
    tiers: ["cgroup", "unix"],
    missing: [{ tier: "lsm", reason: "EPERM" }],
    programs: hex("e"),
    verifiedAt: BEGUN_AT,
  },
  countingSince: BEGUN_AT - 40 * 86_400_000,
  counts: units.map((unit) => ({
    unit,
    ...none,
    ...(unit === "probe" ? { attempts: 41, logged: 41 } : {}),
  })),
  days: Array.from({ length: 30 }, (_, place) => ({ day: day(29 - place), attempts: 0 })),
  events: [],
  latest: 0,
};

const targets = [
  ["tcp", "203.0.113.77", 443, "connect4"],
  ["udp", "2001:db8::35", 53, "sendmsg6"],
  ["tcp", "198.51.100.4", 8080, "connect4"],
  ["icmp", "192.0.2.9", 0, "egress"],
  ["132", "", 0, "sock_create"],
] as const;

export const busyEgress: Egress = {
  ...quietEgress,
  countingSince: Date.now() - 12 * 86_400_000,
  counts: units.map((unit) => ({
    unit,
    ...none,
    ...(unit === "worker" ? { attempts: 1_288, logged: 1_240, lost: 48 } : {}),
    ...(unit === "fetcher" ? { attempts: 2, logged: 2 } : {}),
    ...(unit === "probe" ? { attempts: 41, logged: 41 } : {}),
  })),
  days: Array.from({ length: 13 }, (_, place) => ({
    day: day(12 - place),
    attempts: [0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1_200, 84, 2][place]!,
  })).filter((_, place) => place !== 4),
  events: Array.from({ length: 24 }, (_, place) => {
    const [protocol, address, port, hook] = targets[place % targets.length]!;
    const sequence = place < 12 ? place + 1 : place + 1_217;
    return {
      sequence,
      at: BEGUN_AT + place * 61_000,
      unit: place % 7 === 3 ? "fetcher" : "worker",
      hook,
      protocol,
      address,
      port,
    };
  }),
  latest: 1_240,
};

export const brokenEgress: Egress = {
  ...quietEgress,
  policy: {
    ...quietEgress.policy!,
    isInForce: false,
    fault: "the program egress is no longer attached",
    verifiedAt: null,
  },
};

export const noEgress: Egress = { ...quietEgress, policy: null, counts: [], days: [] };

const good = { isGood: true, detail: null };

/** A server on which nothing is left to do. */
export const doctorA: Doctor = {
  grade: "A",
  heldBy: null,
  readAt: BEGUN_AT,
  findings: {
    cell: good,
    freedMemory: { isGood: true, detail: "init_on_free=1" },
    swap: good,
    hibernation: { isGood: true, detail: "refused by systemd" },
    coreDumps: good,
    pageMerging: good,
    policy: { isGood: true, detail: "cgroup, lsm, without unix" },
    kernelUpdate: { isGood: true, detail: "6.1.0-50-cloud-amd64" },
    sshPasswords: good,
    logs: {
      isGood: true,
      detail: "the machine's own journal, on a disk, says when units began and ended",
    },
  },
};

/** One as it is rented, with the node just installed. */
export const doctorB: Doctor = {
  ...doctorA,
  grade: "B",
  heldBy: "freedMemory",
  findings: {
    ...doctorA.findings,
    freedMemory: { isGood: false, detail: null },
    swap: { isGood: false, detail: "/swapfile" },
    kernelUpdate: {
      isGood: false,
      detail: "6.1.0-50-cloud-amd64 runs, 6.1.0-51-cloud-amd64 is installed",
    },
    sshPasswords: { isGood: false, detail: "by default" },
  },
};

const unread = { isGood: null, detail: "the doctor's report is not of now" };

/** Nobody looked, and workers have no cells. */
export const doctorC: Doctor = {
  grade: "C",
  heldBy: "cell",
  readAt: null,
  findings: {
    ...(Object.fromEntries(
      Object.keys(doctorA.findings).map((check) => [check, unread]),
    ) as Doctor["findings"]),
    cell: { isGood: false, detail: null },
    policy: { isGood: false, detail: "none on this node" },
  },
};

export const wipedReceipt: Receipt = {
  ...receipt,
  grade: "B",
  cell: { end: "finished", wipedBytes: 282_000_000, wipedAt: BEGUN_AT + 184_050 },
};

const endpoints = [
  { name: "huggingface.co", address: "2001:db8:20::4b", port: 443 },
  { name: "huggingface.co", address: "203.0.113.21", port: 443 },
  { name: "huggingface.co", address: "203.0.113.22", port: 443 },
  { name: "cdn-lfs-us-1.hf.co", address: "198.51.100.80", port: 443 },
  { name: "cdn-lfs-us-1.hf.co", address: "198.51.100.81", port: 443 },
];
const modelFile = {
  name: "/bartowski/Qwen2.5-0.5B-Instruct-GGUF/resolve/main/Qwen2.5-0.5B-Instruct-Q4_K_M.gguf",
  digest: hex("f"),
  bytes: 397_808_192,
};

export const proposal: Proposal = {
  id: id("9"),
  endpoints,
  files: [modelFile],
  digestFrom: "host",
  privateAddresses: [],
};

export const privateProposal: Proposal = {
  ...proposal,
  endpoints: [...endpoints, { name: "cdn-lfs-us-1.hf.co", address: "192.168.0.9", port: 443 }],
  digestFrom: "given",
  privateAddresses: ["192.168.0.9"],
};

export const noWindow: NodeWindow = { open: null, highestCounter: "0", transfers: [], earlier: [] };

export const openWindow: NodeWindow = {
  open: { counter: "1795914000000", notAfter: DEADLINE, endpoints, files: [modelFile] },
  highestCounter: "1795914000000",
  transfers: [{ ...modelFile, received: 141_200_000, state: "fetching", error: null }],
  earlier: [],
};

const failed = (name: string, digit: string, error: string, received: number): Transfer => ({
  ...modelFile,
  name,
  digest: hex(digit),
  received,
  state: "failed",
  error,
});

export const endedWindow: NodeWindow = {
  ...noWindow,
  highestCounter: "1795914000000",
  transfers: [{ ...modelFile, received: modelFile.bytes, state: "stored", error: null }],
  earlier: [
    failed("/models/redirected.gguf", "1", "ERR_REDIRECT", 0),
    failed("/models/another-file.gguf", "2", "ERR_DIGEST", modelFile.bytes),
    failed("/models/too-late.gguf", "3", "ERR_WINDOW_CLOSED", 201_000_000),
    failed("/models/of-tomorrow.gguf", "4", "ERR_NOT_YET_KNOWN", 0),
  ],
};

export const realModels = [
  ...models,
  { digest: hex("f"), name: "Qwen2.5-0.5B-Instruct-Q4_K_M", bytes: modelFile.bytes },
];
