/**
 * From a stock Debian 12 server to a first answer, and back to what it was: `phantoma provision` as a person runs it,
 * over real OpenSSH, with a key and its passphrase, as a user with sudo.
 *
 *   guest.ts [--json] [--all] [--keep]
 *   guest.ts --host user@addr --key FILE [--host-key SHA256:…] [--bundle FILE] [--uninstall]   a machine of your own
 *
 * SSH is killed in the middle, the server reboots once, a second run changes nothing, and uninstalling leaves the server's
 * files as they were, but for what the list named. With --all it is killed three times, and every other way to sign in is
 * tried as well. What happens is said as it happens: a hang is seen.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argumentsOf, fileOf, flag, text } from "../../arguments.ts";
import { stepNames } from "../../../packages/provision/src/step-names.ts";
import { makeBundle } from "../../../tools/bundle/bundle.ts";
import { Proof } from "../../proof.ts";
import { hostKeyOfGuest, stockGuest } from "../../vps/booted-guest.ts";
import type { Guest } from "../../vps/guest.ts";
import { NODE_PORT } from "../../vps/install-node.ts";
import { differencesOf, filesOfGuest, tracesOf } from "./guest-files.ts";
import { showSignIns } from "./sign-ins.ts";
import { showStranger } from "./stranger.ts";
import { stepTimes, Terminal, type Line, type Outcome } from "./terminal.ts";

const values = argumentsOf({
  all: flag,
  keep: flag,
  host: text,
  key: text,
  "host-key": text,
  bundle: text,
  uninstall: flag,
  json: flag,
});
for (const option of ["key", "bundle"] as const) fileOf(option, values[option]);
const proof = new Proof("From an address to a first answer", values.json);
const PASSPHRASE = "the key's own words";
const HELD = new Set(["done", "was-so"]);
/** The steps in whose middle SSH is killed. */
const CUTS = values.all ? ["release", "units", "start"] : ["release"];
/** How often somebody who waits is told that it still goes on, in milliseconds. */
const ALIVE_MS = 30_000;

/** The guest, as this machine's user sees it. */
class Server {
  readonly guest: Guest;
  readonly bundlePath: string;
  readonly #keyPath: string;

  constructor(guest: Guest, keyPath: string, bundlePath: string) {
    this.guest = guest;
    this.bundlePath = bundlePath;
    this.#keyPath = keyPath;
  }

  provision(flags: readonly string[], hear?: (line: Line) => void): Promise<Outcome> {
    const address = `debian@127.0.0.1:${this.guest.port(22)}`;
    const usual = ["--key", this.#keyPath, "--name", "vps", "--yes"];
    return terminal.run(["provision", address, ...usual, ...flags], `${PASSPHRASE}\n`, hear);
  }

  install(hear?: (line: Line) => void): Promise<Outcome> {
    const reach = `127.0.0.1:${this.guest.port(NODE_PORT)}`;
    const where = ["--node-port", String(NODE_PORT), "--reach", reach];
    return this.provision(["--bundle", this.bundlePath, "--unsigned", ...where], hear);
  }
}

const dir = mkdtempSync(join(tmpdir(), "provision-"));
const terminal = new Terminal(join(dir, "home"));
const began = Date.now();
const alive = setInterval(() => say("still at it"), ALIVE_MS);
try {
  if (values.host === undefined) await showGuest();
  else await showStranger(proof, terminal, { ...values, host: values.host, dir });
} finally {
  clearInterval(alive);
  rmSync(dir, { recursive: true });
}
process.exitCode = proof.finish();

function say(text: string): void {
  proof.say(`    ${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s  ${text}`);
}

async function showGuest(): Promise<void> {
  say("making the bundle");
  const bundle = await makeBundle(dir, () => undefined);
  const keyPath = join(dir, "key");
  const comment = ["-N", PASSPHRASE, "-C", "proof"];
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", ...comment, "-f", keyPath]);
  say("starting the guest");
  const guest = await stockGuest({ ports: [NODE_PORT] });
  const server = new Server(guest, keyPath, bundle.path);
  try {
    await guest.check("cat >> /home/debian/.ssh/authorized_keys", readFileSync(`${keyPath}.pub`));
    if (values.all) await showSignIns({ proof, say, guest, terminal, hostKey: hostKeyOfGuest() });
    const before = await filesOfGuest(guest);
    await showRefusals(server);
    await showInstall(server);
    await showAnswer();
    await showSecondRun(server);
    if (values.keep) {
      say(`ssh: ${guest.sshCommand}; home: ${join(dir, "home")}; Ctrl-C ends it`);
      await once(process, "SIGINT");
    }
    await showUninstall(server, before);
  } finally {
    await guest.stop();
  }
}

/** Before anything is believed, and before anything is sent. */
async function showRefusals(server: Server): Promise<void> {
  say("what it refuses");
  if (!values.all) {
    const unknown = await server.provision(["--check"]);
    proof.row({
      name: "a server whose key nobody confirmed is not signed in to",
      holds: unknown.code === 1 && unknown.errors.includes("ERR_HOST_KEY_UNKNOWN"),
    });
  }
  const other = await server.provision(["--check", "--host-key", `SHA256:${"A".repeat(43)}`]);
  proof.row({
    name: "a fingerprint that is not the server's stops it",
    holds: other.code === 1 && other.errors.includes("ERR_HOST_KEY_CHANGED"),
  });
  const checked = await server.provision(["--check", "--host-key", hostKeyOfGuest()]);
  const found = checked.lines[0] as
    { privilege?: string; findings?: { check: string; verdict: string }[] } | undefined;
  const stops = found?.findings?.filter(({ verdict }) => verdict === "stop") ?? [];
  proof.row({
    name: "a stock Debian 12 is fit, and its user becomes root by sudo",
    holds: checked.code === 0 && found?.privilege === "sudo" && stops.length === 0,
    detail: checked.detail,
  });
  const unsigned = await server.provision(["--bundle", server.bundlePath]);
  proof.row({
    name: "a bundle that nobody signed is refused, unless one says so",
    holds: unsigned.code === 1 && unsigned.errors.includes("ERR_BUNDLE_REFUSED"),
  });
}

async function showInstall(server: Server): Promise<void> {
  const { guest } = server;
  say("setting it up");
  const slowdown = await slowdownOf(guest);
  const cuts = new Map<string, Promise<unknown>>();
  let reboot: Promise<void> | undefined;
  const outcome = await server.install((line) => {
    if (line.kind === "upload") return;
    say(JSON.stringify(line));
    const { step = "", state } = line;
    // In its middle, every connection of that user is killed.
    if (state === "applying" && CUTS.includes(step) && !cuts.has(step))
      cuts.set(step, guest.ssh("pkill -KILL -u debian sshd"));
    if (line.kind === "rebooting")
      reboot ??= guest.followReboot(say).catch((error: unknown) => say(String(error)));
  });
  await Promise.all([...cuts.values(), reboot]);
  const { code, lines } = outcome;
  proof.row({
    name: "a run as that user ends with a node",
    holds: code === 0,
    detail: outcome.detail,
  });
  if (code !== 0) throw new Error("there is no node to go on with");
  for (const [name, seconds] of stepTimes(lines))
    proof.say(
      `       ${name}: ${seconds.toFixed(1)} s; on real hardware about ${(seconds / slowdown).toFixed(1)} s (an estimate: this emulation is ${slowdown.toFixed(1)} times slower)`,
    );
  const steps = new Set(lines.filter(({ state }) => HELD.has(state ?? "")).map(({ step }) => step));
  proof.row({
    name: "every step was done, on both sides of the reboot",
    holds: steps.size === stepNames.length && lines.some(({ kind }) => kind === "rebooting"),
    detail: `${steps.size} of ${stepNames.length}`,
  });
  const wasDone = (name: string): number =>
    lines.filter(({ step, state }) => step === name && state === "done").length;
  proof.row({
    name: `SSH was killed at ${CUTS.join(", ")}, and the set-up went on by itself`,
    holds:
      cuts.size === CUTS.length &&
      lines.filter(({ kind, isAway }) => kind === "away" && isAway === true).length >= cuts.size &&
      CUTS.every((name) => wasDone(name) === 1),
  });
  const drills = lines.filter(({ kind }) => kind === "drill");
  proof.row({
    name: "an attempt to phone home from every unit was refused and counted",
    holds:
      drills.length >= 6 &&
      drills.every(({ isBlocked, isCounted }) => isBlocked === true && isCounted === true),
    detail: drills.map(({ unit }) => unit).join(", "),
  });
  const traces = await tracesOf(guest, PASSPHRASE);
  proof.row({
    name: "the passphrase is nowhere on the server",
    holds: traces === 0,
    detail: `${traces} lines`,
  });
  const known = await tracesOf(guest, "phantoma-gateway");
  proof.control("what the journal names is found in the same way", known > 0, `${known} lines`);
}

/** The same work here and there. */
async function slowdownOf(guest: Guest): Promise<number> {
  const work = "head -c 64M /dev/zero | sha256sum >/dev/null";
  const timed = `start=$(date +%s%N); ${work}; echo $(( $(date +%s%N) - start ))`;
  const here = Number(execFileSync("sh", ["-c", timed], { encoding: "utf8" }));
  return Math.max(1, Number(await guest.check(timed)) / here);
}

async function showAnswer(): Promise<void> {
  say("asking it");
  const asked = await terminal.run([
    "ask",
    "--node",
    "vps",
    "--max-tokens",
    "40",
    "What is Phantoma?",
  ]);
  const text = asked.lines.map((line) => JSON.stringify(line)).join("");
  proof.row({
    name: "this machine asks it, and gets an answer through the tunnel",
    holds: asked.code === 0 && asked.lines.length > 0,
    detail: `${asked.detail}: ${text.slice(0, 120)}`,
  });
  const { lines } = await terminal.run(["doctor", "--node", "vps"]);
  const grade = String(lines[0]?.["grade"]);
  proof.row({ name: "its wipe grade is A", holds: grade === "A", detail: grade });
}

async function showSecondRun(server: Server): Promise<void> {
  say("the same once more");
  const { code, lines, detail } = await server.install((line) => {
    if (line.kind !== "upload") say(JSON.stringify(line));
  });
  const changed = lines.filter(({ state, step }) => state === "done" && step !== "drill");
  proof.row({
    name: "a second run changes nothing, and says so",
    holds: code === 0 && changed.length === 0 && !lines.some(({ kind }) => kind === "upload"),
    detail,
  });
}

async function showUninstall(server: Server, before: ReadonlyMap<string, string>): Promise<void> {
  say("taking it away");
  const { code, lines, detail } = await server.provision(["--uninstall"], (line) =>
    say(JSON.stringify(line)),
  );
  const list = (lines[0]?.["removes"] ?? []) as readonly string[];
  proof.row({
    name: "uninstalling shows a list first, and does it",
    holds: code === 0 && list.length > 5,
    detail: `${list.length} lines, ${detail}`,
  });
  const after = await filesOfGuest(server.guest);
  const differ = differencesOf(before, after);
  proof.row({
    name: "afterwards the server's files are what they were",
    holds: differ.length === 0,
    detail: differ.slice(0, 8).join(", ") || `${after.size} files compared`,
  });
  proof.control(
    "a unit of the node's would be found among them",
    differencesOf(before, new Map([...after, ["/etc/systemd/system/phantoma.slice", "f"]])).length >
      0,
  );
  const left = await server.guest.check(
    "ls -d /sys/fs/bpf/phantoma /sys/fs/cgroup/phantoma.slice 2>/dev/null; systemctl list-units --all --no-legend 'phantoma*' | grep -v setup || true",
  );
  proof.row({
    name: "and no policy, slice or unit of it is left",
    holds: left.trim() === "",
    detail: left.trim(),
  });
}
