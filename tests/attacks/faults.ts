/**
 * No policy, no node: each way in which a policy may be missing or changed must be noticed, said, and keep units
 * from starting. A unit starts only when `warden admit` succeeds.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { NodeUnderAttack, Say } from "./node.ts";
import { finished, type Trial } from "./report.ts";
import { Warden } from "./warden.ts";

interface Fault {
  readonly name: string;
  /** Breaks the policy that is in force. */
  readonly breakIt: (warden: Warden, attempts: string) => void;
}

const faults: readonly Fault[] = [
  {
    name: "a pin removed",
    breakIt: ({ paths }) => rmSync(join(paths.pins, "link_egress")),
  },
  {
    name: "a link detached by somebody else",
    breakIt: ({ paths }, attempts) =>
      sabotage(attempts, "detach", join(paths.pins, "link_connect4")),
  },
  {
    name: "a program replaced by somebody else",
    breakIt: ({ paths }, attempts) =>
      sabotage(attempts, "replace", join(paths.pins, "link_egress")),
  },
  {
    name: "a map's pin removed",
    breakIt: ({ paths }) => rmSync(join(paths.pins, "units")),
  },
];

/** For the program that follows, in a mount namespace of its own. */
const HIDE_BTF = 'mount -t tmpfs none /sys/kernel/btf && exec "$@"';
/** How long a warden that must not start is waited for. */
const START_MS = 60_000;

export async function runFaults(node: NodeUnderAttack, say: Say): Promise<Trial[]> {
  say("faults that have to keep units from starting …");
  const trials: Trial[] = [];
  for (const fault of faults)
    trials.push(await finished(fault.name, async () => await isNoticed(node, fault)));
  trials.push(wrongCgroupIsNoticed(node));
  for (const [name, before, args] of [
    [
      "no right to load programs",
      ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all"],
      {},
    ],
    ["no type information of the kernel", ["unshare", "--mount", "sh", "-c", HIDE_BTF, "sh"], {}],
    ["no such cgroup", [], { "--cgroup": join(node.stage.mount, "phantoma-none") }],
    ["pins outside a BPF file system", [], { "--pins": join(node.stage.dir, "no-bpf") }],
  ] as const)
    trials.push(doesNotStart(node, name, before, args));
  return trials;
}

/** A warden with a policy of its own, to be broken. */
function anotherWarden({ stage, warden }: NodeUnderAttack): Warden {
  return new Warden({
    program: warden.paths.program,
    cgroup: join(stage.mount, `phantoma-fault-${stage.id}`),
    pins: `${warden.paths.pins}-fault`,
    state: join(stage.dir, "fault"),
    socket: join(stage.dir, "fault.sock"),
    identity: join(stage.dir, "fault-devices"),
  });
}

/** In force first, or being refused would show nothing. */
async function isNoticed(node: NodeUnderAttack, { name, breakIt }: Fault): Promise<Trial> {
  const { stage } = node;
  const broken = anotherWarden(node);
  try {
    await broken.start(["--make-cgroup"]);
    const before = broken.verify();
    breakIt(broken, stage.attempts);
    const verified = broken.verify();
    const admitted = broken.tryToAdmit("worker", join(broken.paths.cgroup, "worker"));
    return {
      id: "fault",
      attempt: name,
      isBlocked: before === "" && verified !== "" && admitted !== "",
      detail: before ? `verify failed before the fault: ${before}` : firstLine(verified),
    };
  } finally {
    await endAndTidy(broken);
  }
}

async function endAndTidy(warden: Warden): Promise<void> {
  await warden.end();
  if (existsSync(warden.paths.pins)) rmSync(warden.paths.pins, { recursive: true });
}

/** The policy is in force, but not where the unit is. */
function wrongCgroupIsNoticed({ stage, warden }: NodeUnderAttack): Trial {
  const elsewhere = stage.makeCgroup(`phantoma-elsewhere-${stage.id}`);
  const unit = join(elsewhere, "worker");
  mkdirSync(unit, { recursive: true });
  const outside = warden.tryToAdmit("worker", unit);
  const other = new Warden({ ...warden.paths, cgroup: elsewhere });
  const verified = other.verify();
  rmdirSync(unit);
  return {
    id: "fault",
    attempt: "the wrong cgroup",
    isBlocked: outside !== "" && verified !== "",
    detail: firstLine(outside),
  };
}

function doesNotStart(
  { stage, warden }: NodeUnderAttack,
  name: string,
  before: readonly string[],
  changed: Readonly<Record<string, string>>,
): Trial {
  const cgroup = stage.makeCgroup(`phantoma-fault-${stage.id}`);
  const options: Record<string, string> = {
    "--cgroup": cgroup,
    "--pins": `${warden.paths.pins}-none`,
    "--state": join(stage.dir, "none"),
    "--socket": join(stage.dir, "none.sock"),
    "--identity": warden.paths.identity,
    ...changed,
  };
  mkdirSync(options["--state"]!, { recursive: true });
  const command = [...before, warden.paths.program, "run", ...Object.entries(options).flat()];
  const { status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), {
    encoding: "utf8",
    timeout: START_MS,
  });
  return {
    id: "fault",
    attempt: name,
    isBlocked: status !== null && status !== 0 && !stdout.includes("ready") && stderr.trim() !== "",
    detail: status === null ? "it started" : firstLine(stderr),
  };
}

function sabotage(attempts: string, what: string, pin: string): void {
  const { status, stderr } = spawnSync(attempts, ["sabotage", what, pin], { encoding: "utf8" });
  if (status !== 0) throw new Error(`sabotage ${what}: ${stderr}`);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}
