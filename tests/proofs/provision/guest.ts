/**
 * From a stock Debian 12 server to a first answer, and back to what it was: `phantoma provision` as a person runs it,
 * over real OpenSSH, with a key and its passphrase, as a user with sudo.
 *
 *   provision.ts [--json] [--keep]
 *
 * SSH is killed in the middle, the server reboots once, a second run changes nothing, and uninstalling leaves the server's
 * files as they were, but for what the list named.
 *
 * @module
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { stepNames } from "../../../packages/provision/src/step-names.ts";
import { readHostKey } from "../../../packages/provision/src/ssh/host-key.ts";
import { makeBundle } from "../../../tools/bundle/bundle.ts";
import { Proof } from "../../proof.ts";
import { bootedGuest, RUNTIME_DIR } from "../../vps/booted-guest.ts";
import { NODE_PORT } from "../../vps/install-node.ts";
import { imageDir } from "../../vps/recipe.ts";

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, keep: { type: "boolean", default: false } },
});
const proof = new Proof("From an address to a first answer", values.json);
const main = fileURLToPath(new URL("../../../apps/cli/main.ts", import.meta.url));
const PASSPHRASE = "the key's own words";
const HELD = new Set(["done", "was-so"]);
/** Milliseconds; a boot takes 60 s here, and hangs in the emulator's clock now and then. */
const BOOT_MS = 150_000;
/** What Debian's own programs keep of a file before they change it. */
const KNOWN_LEFT = new Set(
  ["passwd", "group", "shadow", "gshadow", "subuid", "subgid"].map((name) => `/etc/${name}-`),
);
/** Whether the set-up's reboot is over. */
let isBack = false;

const dir = mkdtempSync(join(tmpdir(), "provision-"));
const home = join(dir, "home");
const keyPath = join(dir, "key");
proof.say("  making the bundle");
const bundle = await makeBundle(dir, () => undefined);
execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", PASSPHRASE, "-C", "proof", "-f", keyPath]);
const guest = await bootedGuest({ ports: [NODE_PORT] });
try {
  // What other proofs keep there to save time.
  await guest.check(`rm -rf ${RUNTIME_DIR} && rmdir /opt/phantoma`);
  await guest.check("cat >> /home/debian/.ssh/authorized_keys", readFileSync(`${keyPath}.pub`));
  const before = await filesOfGuest();
  await showRefusals();
  await showInstall();
  await showAnswer();
  await showSecondRun();
  if (values.keep) {
    proof.say(`\nssh: ${guest.sshCommand}\nhome: ${home}\nCtrl-C ends it`);
    await once(process, "SIGINT");
  }
  await showUninstall(before);
} finally {
  await guest.stop();
  rmSync(dir, { recursive: true });
}
process.exitCode = proof.finish();

interface Line {
  readonly kind?: string;
  readonly step?: string;
  readonly state?: string;
  readonly unit?: string;
  readonly isBlocked?: boolean;
  readonly isCounted?: boolean;
  readonly isAway?: boolean;
  readonly at?: number;
  readonly [name: string]: unknown;
}

interface Outcome {
  readonly code: number | null;
  readonly lines: readonly Line[];
  readonly errors: string;
  readonly seconds: number;
}

async function phantoma(
  args: readonly string[],
  input = "",
  hear: (line: Line) => void = () => undefined,
): Promise<Outcome> {
  const start = Date.now();
  const child = spawn(process.execPath, [main, ...args, "--json", "--home", home]);
  const lines: Line[] = [];
  let errors = "";
  child.stderr.on("data", (part: Buffer) => (errors += part.toString("utf8")));
  createInterface(child.stdout).on("line", (text) => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    hear(line);
  });
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, lines, errors, seconds: (Date.now() - start) / 1000 };
}

function provision(flags: readonly string[], hear?: (line: Line) => void): Promise<Outcome> {
  const address = `debian@127.0.0.1:${guest.port(22)}`;
  return phantoma(
    ["provision", address, "--key", keyPath, "--name", "vps", "--yes", ...flags],
    `${PASSPHRASE}\n`,
    hear,
  );
}

function install(hear?: (line: Line) => void): Promise<Outcome> {
  const reach = `127.0.0.1:${guest.port(NODE_PORT)}`;
  const flags = [
    "--bundle",
    bundle.path,
    "--unsigned",
    "--node-port",
    String(NODE_PORT),
    "--reach",
    reach,
  ];
  return provision(flags, hear);
}

function hostKeyOfGuest(): string {
  const [, , blob = ""] = readFileSync(join(imageDir, "known_hosts"), "ascii").split(" ");
  return readHostKey(Buffer.from(blob, "base64")).sha256;
}

/** Before anything is believed, and before anything is sent. */
async function showRefusals(): Promise<void> {
  const unknown = await provision(["--check"]);
  proof.row({
    name: "a server whose key nobody confirmed is not signed in to",
    holds: unknown.code === 1 && unknown.errors.includes("ERR_HOST_KEY_UNKNOWN"),
  });
  const other = await provision(["--check", "--host-key", `SHA256:${"A".repeat(43)}`]);
  proof.row({
    name: "a fingerprint that is not the server's stops it",
    holds: other.code === 1 && other.errors.includes("ERR_HOST_KEY_CHANGED"),
  });
  const { code, lines, errors, seconds } = await provision([
    "--check",
    "--host-key",
    hostKeyOfGuest(),
  ]);
  const found = lines[0] as
    { privilege?: string; findings?: { check: string; verdict: string }[] } | undefined;
  const stops = found?.findings?.filter(({ verdict }) => verdict === "stop") ?? [];
  proof.row({
    name: "a stock Debian 12 is fit, and its user becomes root by sudo",
    holds: code === 0 && found?.privilege === "sudo" && stops.length === 0,
    detail: `${seconds.toFixed(1)} s${errors.trim() && code !== 0 ? `; ${errors.trim()}` : ""}`,
  });
  const unsigned = await provision(["--bundle", bundle.path]);
  proof.row({
    name: "a bundle that nobody signed is refused, unless one says so",
    holds: unsigned.code === 1 && unsigned.errors.includes("ERR_BUNDLE_REFUSED"),
  });
}

/** Presses the reset button while a boot hangs, until the reboot is over. */
async function watchBoot(): Promise<void> {
  for (let tries = 0; tries < 4; tries += 1) {
    await sleep(BOOT_MS, undefined, { ref: false });
    if (isBack) return;
    proof.say("       the guest hangs in its boot: reset");
    await guest.reset();
  }
}

async function showInstall(): Promise<void> {
  let cut: Promise<unknown> | undefined;
  const outcome = await install((line) => {
    if (line.kind !== "upload") proof.say(`    ${JSON.stringify(line)}`);
    // In the middle of what takes longest, every connection of that user is killed.
    if (line.step === "release" && line.state === "applying")
      cut ??= guest.ssh("pkill -KILL -u debian sshd");
    if (line.kind === "rebooting") void watchBoot();
    if (line.step === "reboot" && HELD.has(line.state ?? "")) isBack = true;
  });
  await cut;
  const { code, lines, errors } = outcome;
  proof.row({
    name: "a run as that user ends with a node",
    holds: code === 0,
    detail: `${outcome.seconds.toFixed(0)} s in all${code === 0 ? "" : `; ${errors.trim().slice(-600)}`}`,
  });
  if (code !== 0) throw new Error("there is no node to go on with");
  for (const [name, seconds] of stepTimes(lines))
    proof.say(`       ${name}: ${seconds.toFixed(1)} s`);
  const steps = new Set(lines.filter(({ state }) => HELD.has(state ?? "")).map(({ step }) => step));
  proof.row({
    name: "every step was done, on both sides of the reboot",
    holds: steps.size === stepNames.length && lines.some(({ kind }) => kind === "rebooting"),
    detail: `${steps.size} of ${stepNames.length}`,
  });
  proof.row({
    name: "SSH was killed in the middle, and the set-up went on by itself",
    holds:
      lines.some(({ kind, isAway }) => kind === "away" && isAway === true) &&
      lines.filter(({ step, state }) => step === "release" && state === "done").length === 1,
  });
  const drills = lines.filter(({ kind }) => kind === "drill");
  proof.row({
    name: "an attempt to phone home from every unit was refused and counted",
    holds:
      drills.length >= 6 &&
      drills.every(({ isBlocked, isCounted }) => isBlocked === true && isCounted === true),
    detail: drills.map(({ unit }) => unit).join(", "),
  });
  const traces = await guest.check(
    `(cat /proc/*/cmdline /proc/*/environ; journalctl --no-pager; cat /var/lib/phantoma-setup/*) 2>/dev/null | tr '\\0' '\\n' | grep -cF -e "$(cat)" || true`,
    PASSPHRASE,
  );
  proof.row({
    name: "the passphrase is nowhere on the server",
    holds: traces.trim() === "0",
    detail: traces.trim(),
  });
}

async function showAnswer(): Promise<void> {
  const asked = await phantoma(["ask", "--node", "vps", "--max-tokens", "40", "What is Phantoma?"]);
  const text = asked.lines
    .map((line) => JSON.stringify(line))
    .join("")
    .slice(0, 120);
  proof.row({
    name: "this machine asks it, and gets an answer through the tunnel",
    holds: asked.code === 0 && asked.lines.length > 0,
    detail: `${asked.seconds.toFixed(0)} s: ${text || asked.errors.trim()}`,
  });
  const { lines } = await phantoma(["doctor", "--node", "vps"]);
  proof.row({
    name: "its wipe grade is A",
    holds: lines[0]?.["grade"] === "A",
    detail: String(lines[0]?.["grade"]),
  });
}

async function showSecondRun(): Promise<void> {
  const { code, lines, seconds, errors } = await install();
  const changed = lines.filter(({ state, step }) => state === "done" && step !== "drill");
  proof.row({
    name: "a second run changes nothing, and says so",
    holds: code === 0 && changed.length === 0 && !lines.some(({ kind }) => kind === "upload"),
    detail: `${seconds.toFixed(0)} s${code === 0 ? "" : errors.trim()}`,
  });
}

async function showUninstall(before: ReadonlyMap<string, string>): Promise<void> {
  const { code, lines, seconds, errors } = await provision(["--uninstall"]);
  const list = (lines[0]?.["removes"] ?? []) as readonly string[];
  proof.row({
    name: "uninstalling shows a list first, and does it",
    holds: code === 0 && list.length > 5,
    detail: `${list.length} lines, ${seconds.toFixed(0)} s${code === 0 ? "" : errors.trim().slice(-300)}`,
  });
  const after = await filesOfGuest();
  const differences = [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .filter((path) => !KNOWN_LEFT.has(path));
  proof.row({
    name: "afterwards the server's files are what they were",
    holds: differences.length === 0,
    detail: differences.slice(0, 8).join(", ") || `${after.size} files compared`,
  });
  const left = await guest.check(
    "ls -d /sys/fs/bpf/phantoma /sys/fs/cgroup/phantoma.slice 2>/dev/null; systemctl list-units --all --no-legend 'phantoma*' | grep -v setup || true",
  );
  proof.row({
    name: "and no policy, slice or unit of it is left",
    holds: left.trim() === "",
    detail: left.trim(),
  });
}

/** Every file that is not a log, a cache or somebody's diary, with what it is. */
async function filesOfGuest(): Promise<ReadonlyMap<string, string>> {
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

function stepTimes(lines: readonly Line[]): Map<string, number> {
  const began = new Map<string, number>();
  const times = new Map<string, number>();
  for (const { kind, step, state, at } of lines) {
    if (kind !== "step" || step === undefined || at === undefined) continue;
    if (state === "applying") began.set(step, at);
    if (state === "done") times.set(step, (at - (began.get(step) ?? at)) / 1000);
  }
  return times;
}
