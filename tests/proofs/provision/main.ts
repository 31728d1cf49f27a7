/**
 * A set-up that is interrupted, on servers that are folders: at every step that writes files, by everything that can come
 * between; what is done to a node afterwards; and what must stop it.
 *
 *   main.ts [--json]
 *
 * The steps that change the kernel, its command line, a firewall or SSH change nothing in a folder: the first two are
 * shown in the guest (`npm run e2e:vps`), the others beside their code.
 *
 * @module
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argumentsOf, flag } from "../../arguments.ts";
import {
  differences,
  ServerFolder,
  SmallReleases,
} from "../../../packages/provision/src/host/test-server-folder.ts";
import { Proof } from "../../proof.ts";
import { Publisher } from "../update/publisher.ts";
import { showHardStops } from "./hard-stops.ts";
import { showNextKeyFromHere } from "./from-here.ts";
import { showNextKey } from "./next-key.ts";
import { showOperations } from "./operations.ts";

const values = argumentsOf({ json: flag });
const proof = new Proof("A set-up that is interrupted, and what is done to a node", values.json);

/** In their order; each writes files, and can be killed while it does. */
const STEPS = [
  "release",
  "users",
  "folders",
  "settings",
  "units",
  "identity",
  "devices",
  "model",
  "start",
] as const;
const DAY_MS = 86_400_000;
/** Bytes: two small releases, a bundle, and a node. */
const DISK = "64m";
/** What Debian's programs keep of a file before they change it. */
const KNOWN_LEFT = /^etc\/(?:\.pwd\.lock|(?:passwd|group|shadow|gshadow|subuid|subgid)-?)$/;

const work = mkdtempSync("/var/tmp/set-ups-");
const publisher = await Publisher.begin(join(work, "publisher"));
const releases = new SmallReleases(publisher.anchorPath);
try {
  proof.say("  making the releases");
  const release = await releases.make("0.1.0");
  let count = 0;
  const newRoot = (): string => join(releases.dir, `root-${(count += 1)}`);
  const fresh = (): ServerFolder => {
    const root = newRoot();
    mkdirSync(root);
    return new ServerFolder(root, release);
  };
  const copy = (server: ServerFolder): ServerFolder => ServerFolder.copyOf(server, newRoot());
  const drop = (server: ServerFolder): void => rmSync(server.root, { recursive: true });

  const undisturbed = fresh();
  const before = undisturbed.look();
  await undisturbed.whole();
  const expected = undisturbed.look();
  await showSecondRun(undisturbed);
  const killed = await killedAtEveryStep(fresh, copy);
  await showInterruptions(killed, expected, copy, drop);
  await showUninstalls([...killed, ["start, done", copy(undisturbed)]], before, copy, drop);
  showControls(undisturbed, expected, copy);
  await showOperations({ proof, releases, publisher, release, node: copy(undisturbed), copy });
  await showNextKey({ proof, node: copy(undisturbed), copy });
  await showNextKeyFromHere(proof, copy(undisturbed), copy);
  await showHardStops(proof);
} finally {
  releases.remove();
  rmSync(work, { recursive: true });
}
process.exitCode = proof.finish();

async function showSecondRun(node: ServerFolder): Promise<void> {
  const before = node.look();
  const said = node.events().length;
  const last = await node.run();
  const states = node
    .events()
    .slice(said)
    .flatMap((event) => (event.kind === "step" ? [event.state] : []));
  proof.row({
    name: "a second full run changes nothing, and says so",
    holds:
      last?.kind === "ended" &&
      states.length > 0 &&
      states.every((state) => state === "was-so") &&
      differences(before, node.look()).length === 0,
    detail: `${states.length} steps`,
  });
}

/** One server that is killed at each step and goes on, and what it was each time. */
async function killedAtEveryStep(
  fresh: () => ServerFolder,
  copy: (server: ServerFolder) => ServerFolder,
): Promise<[string, ServerFolder][]> {
  const found: [string, ServerFolder][] = [];
  const server = fresh();
  for (const step of STEPS) {
    const wasThere = await server.killedAt(step);
    if (!wasThere) throw new Error(`it was never at ${step}`);
    found.push([step, copy(server)]);
    if (step !== "identity") continue;
    // Which ends by wanting a device.
    await server.run();
    server.nameDevice();
  }
  return found;
}

async function showInterruptions(
  killed: readonly [string, ServerFolder][],
  expected: ReadonlyMap<string, string>,
  copy: (server: ServerFolder) => ServerFolder,
  drop: (server: ServerFolder) => void,
): Promise<void> {
  const faults: Record<string, (server: ServerFolder) => Promise<unknown>> = {
    "the power went, and a new process goes on": (server) => server.whole(),
    "SSH or the desktop is gone, and the run goes on by itself": async (server) => {
      await startedBySomebodyWhoIsKilled(server);
      return server.whole();
    },
    "the clock has gone back by a day": (server) => server.run("install", clock(-DAY_MS)),
    "the clock has gone on by a day": (server) => server.run("install", clock(DAY_MS)),
  };
  for (const [step, server] of killed) {
    for (const [fault, happen] of Object.entries(faults)) {
      const tried = copy(server);
      await happen(tried);
      await showEnd(`at ${step}, ${fault}`, tried, server, expected);
      drop(tried);
    }
    await showFullDisk(step, server, expected);
  }
}

async function showEnd(
  name: string,
  server: ServerFolder,
  was: ServerFolder,
  expected: ReadonlyMap<string, string>,
): Promise<void> {
  const last = await server.whole();
  const differ = differences(expected, server.look());
  const isSameNode = was.nodeKey === undefined || was.nodeKey === server.nodeKey;
  proof.row({
    name: `${name}: it ends as if nothing had been`,
    holds: last?.kind === "ended" && differ.length === 0 && isSameNode,
    detail: [last?.kind === "failed" ? last.why : "", ...differ.slice(0, 4)]
      .filter(Boolean)
      .join(", "),
  });
}

/** On a disk of its own, which is filled to its last byte. */
async function showFullDisk(
  step: string,
  was: ServerFolder,
  expected: ReadonlyMap<string, string>,
): Promise<void> {
  const disk = mkdtempSync(join(releases.dir, "disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK},mode=755`, "tmpfs", disk]);
  try {
    const server = ServerFolder.copyOf(was, join(disk, "root"));
    const filler = join(disk, "filler");
    execFileSync("sh", ["-c", `cat /dev/zero > ${filler} 2>/dev/null || true`]);
    const last = await server.run();
    const isHonest = last?.kind !== "ended" || differences(expected, server.look()).length === 0;
    rmSync(filler);
    await showEnd(
      `at ${step}, the disk is full, and has room again`,
      server,
      was,
      isHonest ? expected : new Map(),
    );
  } finally {
    execFileSync("umount", ["--lazy", disk]);
    rmSync(disk, { recursive: true });
  }
}

/** A process whose clock is off: what the system's programs read is this machine's. */
function clock(offMs: number): string[] {
  const path = join(releases.dir, `clock-${offMs}.mjs`);
  writeFileSync(path, `const now = Date.now.bind(Date); Date.now = () => now() + ${offMs};\n`);
  return ["--import", path];
}

/** As a session of SSH would, if nobody had told PID 1. */
async function startedBySomebodyWhoIsKilled(server: ServerFolder): Promise<void> {
  const entry = server.path("var/lib/phantoma-setup/programs/apps/node/provisioner/main.js");
  const script = `setsid ${process.execPath} ${entry} install --root ${server.root} </dev/null >/dev/null 2>&1 & echo $!; wait`;
  const starter = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  const pid = await new Promise<number>((resolve) =>
    starter.stdout.once("data", (part: Buffer) => resolve(Number(part.toString("latin1")))),
  );
  const isOver = new Promise((resolve) => starter.once("close", resolve));
  starter.kill("SIGKILL");
  starter.stdout.destroy();
  await isOver;
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
  } catch {
    return false;
  }
}

async function showUninstalls(
  servers: readonly [string, ServerFolder][],
  before: ReadonlyMap<string, string>,
  copy: (server: ServerFolder) => ServerFolder,
  drop: (server: ServerFolder) => void,
): Promise<void> {
  for (const [step, server] of servers) {
    const tried = copy(server);
    const list = tried.list();
    await tried.run("uninstall");
    const left = differences(before, tried.look()).filter((path) => !isKnown(path));
    proof.row({
      name: `uninstalled at ${step}, after a list: every file is what it was`,
      holds: left.length === 0 && list.includes("/var/lib/phantoma-setup"),
      detail: left.slice(0, 6).join(", ") || `${list.trim().split("\n").length} lines`,
    });
    drop(tried);
  }
}

/** The set-up's own folder was there before it began: it was sent. */
function isKnown(path: string): boolean {
  return KNOWN_LEFT.test(path) || path.startsWith("var/lib/phantoma-setup") || path === "var/lib";
}

function showControls(
  node: ServerFolder,
  expected: ReadonlyMap<string, string>,
  copy: (server: ServerFolder) => ServerFolder,
): void {
  const changed = copy(node);
  const unit = changed.path("etc/systemd/system/phantoma-gateway.service");
  writeFileSync(unit, `${readFileSync(unit, "utf8")}# one line more\n`);
  proof.control(
    "a unit with one line more is not as if nothing had been",
    differences(expected, changed.look()).includes("etc/systemd/system/phantoma-gateway.service"),
  );
  const left = copy(node);
  writeFileSync(left.path("etc/left-over"), "");
  proof.control(
    "a file that is left over is found",
    differences(expected, left.look()).includes("etc/left-over"),
  );
}
