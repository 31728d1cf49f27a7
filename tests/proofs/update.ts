/**
 * An update, end to end, with real files in another root folder: old node → new release → broken release rolled back
 * → good release, with the data untouched; whatever must be refused; and a power cut after every call to the disk.
 *
 *   update.ts [--json] [--bundle FILE]   FILE: anything; it gets every signature, and must be installed whole or not
 *
 * @module
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signFirstDeviceList } from "@phantoma/client";
import { generateDeviceIdentity } from "@phantoma/crypto";
import { argumentsOf, fileOf, flag, text } from "../arguments.ts";
import { sha256Of } from "../../apps/node/installer/manifest.ts";
import { packTree, type Bundle } from "../../tools/bundle/bundle.ts";
import {
  bundle as compile,
  makeReleaseTree,
  makeRuntimeTree,
} from "../../tools/bundle/release-tree.ts";
import { x64 } from "../../tools/bundle/target.ts";
import { Proof } from "../proof.ts";
import { Machine, type Offer, type Outcome } from "./update/machine.ts";
import { Publisher } from "./update/publisher.ts";

const values = argumentsOf({ bundle: text, json: flag });
const strangersBundle = fileOf("bundle", values.bundle);
const proof = new Proof("A release that installs itself, or goes back", values.json);
const dir = mkdtempSync(join(tmpdir(), "phantoma-update-"));
const admin = generateDeviceIdentity();
const stranger = generateDeviceIdentity();
let counter = 0n;

const publisher = await Publisher.begin(join(dir, "publisher"));

try {
  // The releases' own checks run as nobody, who must get there.
  chmodSync(dir, 0o755);
  const program = join(dir, "run-installer.js");
  compile("tests/proofs/update/run-installer.ts", program);
  const treeDir = join(dir, "tree");
  makeRuntimeTree(treeDir);
  makeReleaseTree(treeDir);
  cpSync(publisher.anchorPath, join(treeDir, "anchor.json"));
  const { machine, node } = await showRealReleases(program, treeDir);
  await showNoKeys(program, machine, node);
  const small = await makeSmallMachine(program, machine);
  await showPreRelease(small, node);
  await showRefusals(small, node);
  if (strangersBundle !== undefined) await showStranger(small, node, strangersBundle);
  await showPowerCuts(small, node, "passes", "a new release");
  await showPowerCuts(small, node, "fails once it runs", "a release that fails once it runs");
} finally {
  rmSync(dir, { recursive: true });
}
process.exitCode = proof.finish();

/** Whole nodes, each of 190 MB, with the engine's real test of itself. */
async function showRealReleases(program: string, treeDir: string) {
  proof.say("  packing four whole nodes");
  const pack = (version: string): Promise<Bundle> =>
    packTree(treeDir, join(dir, `${version}.tar.gz`), { version, commit: null, time: 0, level: 1 });
  const [old, fresh] = [await pack("0.1.0"), await pack("0.2.0")];
  const addon = join(treeDir, x64.llamaDir, "bins/linux-x64/llama-addon.node");
  const whole = readFileSync(addon);
  truncateSync(addon, whole.length / 2);
  const broken = await pack("0.3.0");
  writeFileSync(addon, whole);
  const good = await pack("0.4.0");

  const machine = new Machine(join(dir, "real"), program);
  const state = machine.stateDir;
  // As systemd-tmpfiles makes it; what is secret in it is closed by its own folder.
  mkdirSync(state, { recursive: true, mode: 0o755 });
  const setup = (...args: string[]): string => {
    const flags = [join(treeDir, "apps/node/setup/main.js"), ...args, "--state", state];
    const { stdout, status, stderr } = spawnSync(join(treeDir, "bin/node"), flags, {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    return stdout;
  };
  const node = Buffer.from((JSON.parse(setup("init")) as { nodeKey: string }).nodeKey, "hex");
  const list = join(dir, "devices-1.list");
  writeFileSync(list, signFirstDeviceList(admin, "desk", node, Date.now()).list);
  setup("pin-devices", "--list", list);
  setup("add-model", "--file", join(treeDir, "models/demo/model.gguf"), "--name", "demo");
  const data = machine.data();

  await expectVersion(
    machine,
    "a machine gets its first release",
    "0.1.0",
    machine.run("first", "--bundle", old.path, "--sha256", old.sha256),
  );
  const update = async (bundle: Bundle): Promise<Outcome> =>
    offerAndRun(machine, node, { bundle, signedDir: await publisher.release(bundle) });
  await expectVersion(
    machine,
    "a release with its quorum and an admin's approval replaces it",
    "0.2.0",
    await update(fresh),
  );
  const refused = await update(broken);
  await expectVersion(
    machine,
    "a release whose engine cannot load fails its own test",
    "0.2.0",
    refused,
    "ERR_SELF_TEST",
  );
  await expectVersion(
    machine,
    "a good release replaces it after that",
    "0.4.0",
    await update(good),
  );
  proof.row({
    name: "identity, TLS key, device lists and models are what they were, to the last byte and date",
    holds: machine.data() === data,
  });
  const names = machine.names();
  proof.row({
    name: "the release before is kept, and nothing of the broken one",
    holds:
      names.some((name) => name.startsWith("releases/0.2.0/")) &&
      !names.some((name) => name.includes("0.3.0")),
  });
  writeFileSync(join(state, "keeper/word"), "");
  proof.control("one file more among the data is seen", machine.data() !== data);
  rmSync(join(state, "keeper/word"));
  return { machine, node };
}

/** The state of a real node under releases of a few files, whose tests take no time. */
async function makeSmallMachine(
  program: string,
  real: Machine,
  hasAnchor = true,
): Promise<Machine> {
  const machine = new Machine(join(dir, hasAnchor ? "small" : "keyless"), program);
  cpSync(real.stateDir, machine.stateDir, { recursive: true });
  rmSync(join(machine.stateDir, "installer"), { recursive: true });
  rmSync(join(machine.stateDir, "updates"), { recursive: true });
  const old = await smallBundle("0.1.0", "passes", hasAnchor);
  await expectVersion(
    machine,
    `a small release is as good a first one${hasAnchor ? "" : ", without keys as well"}`,
    "0.1.0",
    machine.run("first", "--bundle", old.path, "--sha256", old.sha256),
  );
  return machine;
}

/** Built from source as it is, without a ceremony's keys. */
async function showNoKeys(program: string, real: Machine, node: Uint8Array): Promise<void> {
  const machine = await makeSmallMachine(program, real, false);
  const bundle = await smallBundle("0.2.0", "passes");
  await expectVersion(
    machine,
    "refused: the release that runs has no keys to believe",
    "0.1.0",
    offerAndRun(machine, node, { bundle, signedDir: await publisher.release(bundle) }),
    "ERR_ANCHOR",
  );
  rmSync(machine.root, { recursive: true });
}

/** `0.2.0-rc.1` is newer than `0.1.0` and older than `0.2.0`, to everybody who looks at it. */
async function showPreRelease(machine: Machine, node: Uint8Array): Promise<void> {
  const copy = machine.copyTo(join(dir, "pre-release"));
  const [candidate, final] = [
    await smallBundle("0.2.0-rc.1", "passes"),
    await smallBundle("0.2.0", "passes"),
  ];
  await publisher.release(candidate);
  const signedDir = await publisher.release(final);
  const install = (bundle: Bundle) => offerAndRun(copy, node, { bundle, signedDir });
  await expectVersion(copy, "a pre-release is installed", "0.2.0-rc.1", install(candidate));
  await expectVersion(copy, "its release replaces it", "0.2.0", install(final));
  const back = install(candidate);
  await expectVersion(copy, "refused: back to the pre-release", "0.2.0", back, "ERR_DOWNGRADE");
  rmSync(copy.root, { recursive: true });
}

async function showRefusals(machine: Machine, node: Uint8Array): Promise<void> {
  const bundle = await smallBundle("0.2.0", "passes");
  const older = await smallBundle("0.0.9", "passes");
  const same = await smallBundle("0.1.0", "passes");
  const far = await smallBundle("0.5.0", "passes");
  await publisher.release(older);
  const before = await publisher.release(same);
  await publisher.release(far, { minFrom: "0.4.0" });
  await publisher.release(bundle, { as: "0.9.0" });
  const signedDir = await publisher.release(bundle);
  const oneSigned = publisher.signedByOne();
  const unsigned = await smallBundle("0.6.0", "passes");
  const damaged = join(dir, "damaged.tar.gz");
  const bytes = readFileSync(bundle.path);
  bytes[bytes.length - 20]! ^= 1;
  writeFileSync(damaged, bytes);
  const refusals: readonly (readonly [string, string, Offered])[] = [
    ["a device that is no admin approved it", "ERR_APPROVAL", { bundle, device: stranger }],
    [
      "it was approved for another node",
      "ERR_APPROVAL",
      { bundle, node: new Uint8Array(32).fill(7) },
    ],
    ["the approval came late", "ERR_APPROVAL_LATE", { bundle, notAfter: Date.now() - 1 }],
    ["one engineer alone signed it", "ERR_QUORUM", { bundle, signedDir: oneSigned }],
    ["nobody signed it", "ERR_UNKNOWN_TARGET", { bundle: unsigned }],
    ["it wants a release between", "ERR_VERSION_FLOOR", { bundle: far }],
    ["other bytes were delivered", "ERR_DIGEST", { bundle, delivered: damaged }],
    [
      "the signed version is not the bundle's",
      "ERR_OTHER_BUNDLE",
      { bundle, signedVersion: "0.9.0" },
    ],
    ["it is older", "ERR_DOWNGRADE", { bundle: older }],
    ["it is the same version", "ERR_OLDER", { bundle: same }],
  ];
  for (const [why, code, offer] of refusals) {
    const copy = machine.copyTo(join(dir, "refusal"));
    const outcome = offerAndRun(copy, node, { signedDir, ...offer });
    await expectVersion(copy, `refused: ${why}`, "0.1.0", outcome, code);
    rmSync(copy.root, { recursive: true });
  }
  for (const [what, place] of [
    ["approval", "updates/update.approval"],
    ["next device list", "devices/00000002.list"],
  ] as const) {
    const piped = machine.copyTo(join(dir, "refusal"));
    piped.offer({ bundle, signedDir, device: admin, node, counter: (counter += 1n) });
    const path = join(piped.stateDir, place);
    rmSync(path, { force: true });
    execFileSync("mkfifo", [path]);
    await expectVersion(
      piped,
      `refused: a pipe that nobody writes to in the place of the ${what}`,
      "0.1.0",
      piped.run("update"),
      "ERR_APPROVAL",
    );
    rmSync(piped.root, { recursive: true });
  }
  const copy = machine.copyTo(join(dir, "replay"));
  offerAndRun(copy, node, { bundle, signedDir });
  await expectVersion(
    copy,
    "an approval that was used does nothing more",
    "0.2.0",
    copy.run("update"),
  );
  await expectVersion(
    copy,
    "refused: an approval with a number that was used",
    "0.2.0",
    offerAndRun(copy, node, { bundle: far, signedDir, counter }),
    "ERR_APPROVAL_USED",
  );
  await expectVersion(
    copy,
    "refused: the signed list is older than one that it has seen",
    "0.2.0",
    offerAndRun(copy, node, { bundle: same, signedDir: before }),
    "ERR_ROLLBACK",
  );
  rmSync(copy.root, { recursive: true });
}

/** What everybody was deceived into signing still meets the installer's own checks. */
async function showStranger(machine: Machine, node: Uint8Array, path: string): Promise<void> {
  const copy = machine.copyTo(join(dir, "stranger"));
  const data = copy.data();
  const version = "0.7.0";
  const { manifest } = await smallBundle(version, "passes");
  const bundle = { path, sha256: await sha256Of(path), size: statSync(path).size, manifest };
  const outcome = offerAndRun(copy, node, { bundle, signedDir: await publisher.release(bundle) });
  const runs = await copy.wholeCurrent();
  const { proven } = copy.links();
  const wanted = outcome.error === undefined ? version : "0.1.0";
  proof.row({
    name: "somebody's file with every signature is installed whole, or the old release runs",
    holds: runs === wanted && proven === wanted && copy.data() === data,
    detail: `${outcome.error ?? "installed"}, ${runs} runs`,
  });
  rmSync(copy.root, { recursive: true });
}

async function showPowerCuts(
  machine: Machine,
  node: Uint8Array,
  kind: SmallKind,
  name: string,
): Promise<void> {
  const bundle = await smallBundle("0.2.0", kind);
  const isGood = kind === "passes";
  const [end, code] = isGood ? ["0.2.0", undefined] : ["0.1.0", "ERR_ROLLED_BACK"];
  const signedDir = await publisher.release(bundle);
  machine.offer({ bundle, signedDir, device: admin, node, counter: (counter += 1n) });
  const faults: string[] = [];
  let cuts = 0;
  let found = { old: 0, new: 0 };
  for (let cutAt = 1; ; cutAt += 1) {
    const copy = machine.copyTo(join(dir, "cut"));
    const data = copy.data();
    const { wasCut, ...uncut } = copy.run("update", "--cut-at", String(cutAt));
    const after = await copy
      .wholeCurrent()
      .catch((error: unknown) => `not whole: ${String(error)}`);
    if (after === "0.1.0") found = { ...found, old: found.old + 1 };
    else if (after === "0.2.0") found = { ...found, new: found.new + 1 };
    else faults.push(`cut ${cutAt}: ${after}`);
    const again = wasCut ? copy.run("update") : uncut;
    const isEnd = (await copy.wholeCurrent()) === end && copy.links().proven === end;
    const isWellSaid = again.version === end || again.error === code;
    if (!isEnd || !isWellSaid)
      faults.push(`cut ${cutAt}: then ${JSON.stringify({ ...again, ...copy.links() })}`);
    if (copy.data() !== data) faults.push(`cut ${cutAt}: data`);
    const left = copy.names().filter((path) => /(?:^|\/)\.(?:new|old)-/.test(path));
    if (left.length > 0) faults.push(`cut ${cutAt}: ${left[0]} is left`);
    rmSync(copy.root, { recursive: true });
    if (!wasCut) break;
    cuts += 1;
  }
  proof.row({
    name: `power cut at each step of ${name}: old or new is whole and current, and the next run ends it`,
    holds: faults.length === 0 && cuts > 30 && found.old > 0,
    detail:
      faults.slice(0, 5).join("; ") ||
      `${cuts} cuts, ${found.old} times the old one, ${found.new} times the new`,
    cuts,
  });
  if (!isGood) return;
  const copy = machine.copyTo(join(dir, "cut"));
  writeFileSync(join(copy.root, "opt/phantoma/releases/0.1.0/words"), "half");
  proof.control(
    "half a release is seen",
    await copy.wholeCurrent().then(
      () => false,
      () => true,
    ),
  );
  rmSync(copy.root, { recursive: true });
}

type SmallKind = "passes" | "fails once it runs";

/** A release of few files; its `bin/node` is a shell, and so are its programs. */
async function smallBundle(version: string, kind: SmallKind, hasAnchor = true): Promise<Bundle> {
  const tree = mkdtempSync(join(dir, "small-tree-"));
  mkdirSync(join(tree, "bin"));
  mkdirSync(join(tree, "apps/node/self-test"), { recursive: true });
  writeFileSync(join(tree, "bin/node"), '#!/bin/sh\nexec /bin/sh "$@"\n');
  const test = kind === "passes" ? "exit 0\n" : 'case "$0" in */current/*) exit 1 ;; esac\n';
  writeFileSync(join(tree, "apps/node/self-test/main.js"), test);
  writeFileSync(join(tree, "version"), version);
  if (hasAnchor) cpSync(publisher.anchorPath, join(tree, "anchor.json"));
  const to = join(dir, `small-${version}-${kind.replaceAll(" ", "-")}.tar.gz`);
  const made = await packTree(tree, to, { version, commit: null, time: 0, level: 1 });
  rmSync(tree, { recursive: true });
  return made;
}

type Offered = Partial<Offer> & Pick<Offer, "bundle">;

function offerAndRun(
  machine: Machine,
  node: Uint8Array,
  offer: Offered & Pick<Offer, "signedDir">,
): Outcome {
  machine.offer({ device: admin, node, counter: (counter += 1n), ...offer });
  return machine.run("update");
}

async function expectVersion(
  machine: Machine,
  name: string,
  version: string,
  outcome: Outcome,
  error?: string,
): Promise<void> {
  const runs = await machine.wholeCurrent().catch(() => "nothing whole");
  const { error: code, about = "" } = outcome;
  const { proven } = machine.links();
  // The verifier's own code, where it is the verifier who refused.
  const said = code === "ERR_RELEASE_REFUSED" ? /\((ERR_\w+)/.exec(about)?.[1] : code;
  proof.row({
    name,
    holds: runs === version && proven === version && said === error,
    detail: said ? `${said}, ${runs} runs` : `${runs} runs`,
  });
}
