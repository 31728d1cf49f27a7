/**
 * A node that is updated from a folder before any control plane runs, and then updates itself from one: a real control
 * plane process, a real node whose processes run from its installed release, the real installer and the terminal's own
 * program, with five throw-away engineers.
 *
 *   main.ts [--json] [--bundle FILE]   FILE: anything; the quorum signs it, and the node installs it whole or not
 *
 * The releases are as `npm run bundle` makes them, but for two things: a demo node's first process is in them, and their
 * `bin/node` is a line that calls one copy of Node, so that six of them are made, fetched and unpacked in a minute; whole
 * ones are installed by `npm run proof:update`. What PID 1 does on a server is done by `updating-node.ts`.
 *
 * @module
 */
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync } from "node:fs";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateNodeIdentity } from "@phantoma/crypto";
import { parseAnchor, ReleaseFolder } from "@phantoma/release";
import { argumentsOf, fileOf, flag, text } from "../../arguments.ts";
import { openAuthority } from "../../../apps/control-plane/authority.ts";
import { Ledger } from "../../../apps/control-plane/licences/ledger.ts";
import { sha256Of } from "../../../apps/node/installer/manifest.ts";
import { packTree, type Bundle } from "../../../tools/bundle/bundle.ts";
import { bundle as compile, makeReleaseTree } from "../../../tools/bundle/release-tree.ts";
import { x64 } from "../../../tools/bundle/target.ts";
import { Proof } from "../../proof.ts";
import { releaseRefusal } from "../../release-refusal.ts";
import { FleetUnderTest, freePort } from "../blind/fleet-under-test.ts";
import { Publisher } from "../update/publisher.ts";
import { Front, PLANE_NAME, type Takeover } from "./front.ts";
import { Person } from "./person.ts";
import { hexOf, licenceOf, showFolder } from "./from-folder.ts";
import { runs, runsNow, signersOf, until, type Stage } from "./stage.ts";
import { answersOf } from "./takeovers.ts";
import { UpdatingNode } from "./updating-node.ts";

const values = argumentsOf({ bundle: text, json: flag });
const strangersBundle = fileOf("bundle", values.bundle);
const DAY_MS = 86_400_000;
/** Longer than the keeper's look at what was fetched, and a refusal of the installer. */
const SETTLE_MS = 4_000;

const proof = new Proof("A node that updates itself from a control plane", values.json);
const dir = mkdtempSync(join(tmpdir(), "pu-"));
// The releases' own checks run as nobody, who must get there.
chmodSync(dir, 0o755);
const began = performance.now();
const publisher = await Publisher.begin(join(dir, "publisher"));
const treeDir = join(dir, "tree");
const bundles = await pack();
const fleet = new FleetUnderTest();
let front: Front | undefined;
let node: UpdatingNode | undefined;
try {
  front = await Front.start(await portOf(fleet));
  const authorityPath = join(dir, "ca.pem");
  writeFileSync(authorityPath, front.authorityPem);
  node = new UpdatingNode(dir, authorityPath);
  const person = new Person(join(dir, "home"), publisher.anchorPath);
  const profile = node.begin(bundles.first, person.home.device());
  const licence = await license(Buffer.from(profile.nodeKey, "hex"));
  const url = await node.start();
  person.home.save({ ...profile, url });
  node.watch();
  const stage = { person, node, front };
  proof.row({
    name: "the node answers from its first release and says which one it is",
    ...(await runs(stage, "0.1.0")),
  });
  const authority = openAuthority(fleet.stateDir);
  const { carried: bundle, forged } = bundles;
  // No control plane runs yet.
  await showFolder({ ...stage, proof, dir, publisher, bundle, forged, authority, licence });
  await fleet.start(["--repository", publisher.repository]);
  await showApproval(stage);
  await showPolicy(stage);
  await showTakeovers(stage);
  if (strangersBundle !== undefined) await showStranger(stage, strangersBundle);
} finally {
  await node?.stop();
  front?.stop();
  await fleet.remove();
  rmSync(dir, { recursive: true, force: true });
}
proof.say(`  ${Math.round((performance.now() - began) / 1000)} s`);
process.exit(proof.finish());

async function showApproval(stage: Stage): Promise<void> {
  const { person, node: updating } = stage;
  const { length: count } = updating.installed;
  const next = generateNodeIdentity().signing;
  await publisher.listLicenceKeys(hexOf(openAuthority(fleet.stateDir)), hexOf(next));
  await publisher.release(bundles.good);
  const on = await report(stage);
  proof.row({
    name: "its heartbeat is answered by the control plane",
    holds: on === "answered",
    detail: on,
  });
  const [held] = (await person.reporting()).licences;
  const early = await person.takeLicence(
    licenceOf(Buffer.from(held!.document, "base64"), {}, next),
  );
  const waits = await until(async () => (await person.update()).fetched[0]?.version === "0.2.0");
  await sleep(SETTLE_MS);
  proof.row({
    name: "the release is fetched, and nothing is installed before an admin's word",
    holds:
      waits &&
      updating.installed.length === count &&
      updating.machine.links().current === bundles.carried.manifest.version,
  });
  const shown = await person.phantoma("update");
  const signers = signersOf(shown.json?.waiting);
  proof.row({
    name: "the admin's own program says who signed it and how many were needed",
    holds: shown.code === 0 && shown.json.waiting?.version === "0.2.0" && signers.isEnough,
    detail: signers.text,
  });
  const approved = await person.phantoma("update", "approve", "0.2.0");
  const ended = await until(() => runsNow(stage, "0.2.0"));
  proof.row({
    name: "approved, the node installs it and answers from it",
    ...(await runs(stage, "0.2.0", approved.code === 0 && ended)),
  });
  const { licences } = await person.reporting();
  const renewed = licenceOf(Buffer.from(licences[0]!.document, "base64"), {}, next);
  const [before, after] = [early, await person.takeLicence(renewed)];
  proof.row({
    name: "a licence of the next key counts once a list with it has come, and not before",
    holds: before === "ERR_DOCUMENT_REFUSED" && after === "taken",
    detail: `${before}, then ${after}`,
  });
}

async function showPolicy(stage: Stage): Promise<void> {
  const { person, node: updating } = stage;
  await person.phantoma("update", "policy", "automatic");
  await publisher.release(bundles.broken);
  await report(stage);
  const ended = await until(
    async () => (await person.update()).outcome?.error === "ERR_ROLLED_BACK",
  );
  proof.row({
    name: "under a signed policy a release that fails once it runs is rolled back, and the node says so",
    ...(await runs(stage, "0.2.0", ended && updating.machine.links().proven === "0.2.0")),
  });
  await publisher.release(bundles.better);
  await report(stage);
  const installed = await until(() => runsNow(stage, "0.4.0"));
  const before = await person.chats();
  const taken = await person.phantoma("update");
  proof.row({
    name: "the next good one installs itself; the device refuses it until it has found its quorum",
    ...(await runs(
      stage,
      "0.4.0",
      installed && before === "ERR_OTHER_RELEASE" && taken.json?.wasTaken === true,
    )),
  });
}

async function showTakeovers(stage: Stage): Promise<void> {
  const { front: plane, node: updating } = stage;
  const frozenDir = publisher.wholeCopy();
  const authority = openAuthority(fleet.stateDir);
  for (const { what, takeover, outcome } of answersOf(authority, () => plane.answers.at(-1)!)) {
    const said = await reportTo(stage, { releases: frozenDir, ...takeover });
    proof.row({
      name: `taken over, it gives ${what}`,
      ...(await runs(stage, "0.4.0", said === outcome, said)),
    });
  }

  await publisher.release(bundles.next);
  const said = await reportTo(stage, { releases: frozenDir });
  await sleep(SETTLE_MS);
  const anchor = parseAnchor(JSON.parse(readFileSync(publisher.anchorPath, "utf8")));
  const source = new ReleaseFolder(frozenDir);
  const { path: filePath } = bundles.better;
  const name = `phantoma-node-0.4.0-linux-${process.arch}.tar.gz`;
  const verify = (nowMs: number) =>
    releaseRefusal({
      anchor,
      source,
      stateDir: mkdtempSync(join(dir, "t-")),
      filePath,
      name,
      nowMs,
    });
  const [today, tomorrow] = [await verify(Date.now()), await verify(Date.now() + DAY_MS + 1)];
  proof.row({
    name: "frozen, it withholds a release; a day later what it serves is refused",
    ...(await runs(
      stage,
      "0.4.0",
      said === "answered" && today === undefined && tomorrow === "ERR_EXPIRED",
      `today taken, then ${tomorrow}`,
    )),
  });

  const changed = publisher.wholeCopy();
  relabel(changed, "0.5.0", "0.5.9");
  const attacker = await Publisher.begin(join(dir, "attacker"));
  await attacker.release(bundles.forged);
  for (const [what, releases, refusal] of [
    ["a list that it changed", changed, "ERR_MISMATCH"],
    ["a release of its own engineers", attacker.repository, "ERR_QUORUM"],
  ] as const) {
    const count = updating.installed.length;
    await reportTo(stage, { releases });
    await until(async () => updating.installed.length > count);
    const { advice = "nothing was offered" } = updating.installed[0] ?? {};
    const code = /\((ERR_\w+)/.exec(advice)?.[1] ?? advice;
    proof.row({
      name: `taken over, it offers ${what}`,
      ...(await runs(stage, "0.4.0", code === refusal, code)),
    });
  }
  const theirs = parseAnchor(JSON.parse(readFileSync(attacker.anchorPath, "utf8")));
  proof.control(
    "that same release is taken where its engineers are believed",
    (await releaseRefusal({
      anchor: theirs,
      source: new ReleaseFolder(attacker.repository),
      stateDir: mkdtempSync(join(dir, "t-")),
      filePath: bundles.forged.path,
      name: `phantoma-node-0.6.0-linux-${process.arch}.tar.gz`,
    })) === undefined,
  );

  await reportTo(stage, {});
  const installed = await until(() => runsNow(stage, "0.5.0"));
  await stage.person.phantoma("update");
  proof.row({
    name: "honest again, it was a delay: the withheld release is installed",
    ...(await runs(stage, "0.5.0", installed)),
  });
}

async function showStranger(stage: Stage, path: string): Promise<void> {
  const version = "0.9.0";
  const { manifest } = await smallBundle(version);
  const bundle = { path, sha256: await sha256Of(path), size: statSync(path).size, manifest };
  const count = stage.node.installed.length;
  await publisher.release(bundle);
  await report(stage);
  const tried = await until(async () => stage.node.installed.length > count);
  const { error } = stage.node.installed[0] ?? {};
  const wanted = error === undefined ? version : "0.5.0";
  await stage.person.phantoma("update");
  const whole = await stage.node.machine.wholeCurrent().catch(() => "nothing whole");
  proof.row({
    name: "somebody's file with every signature is installed whole, or the old release runs",
    ...(await runs(stage, "0.5.0", tried && whole === wanted, error ?? "installed")),
  });
}

/** One standing order more: a heartbeat at once. @returns what became of it */
async function report({ person, front: plane }: Stage): Promise<string> {
  const before = await person.newest();
  const key = Buffer.from(openAuthority(fleet.stateDir).publicKey).toString("hex");
  const place = `https://${PLANE_NAME}:${plane.port}`;
  const to = [place, "--key", key, "--address", "127.0.0.1"];
  const { code, text } = await person.phantoma("report", "on", ...to);
  if (code !== 0) throw new Error(`report on: ${text}`);
  return person.outcome(before);
}

async function reportTo(stage: Stage, takeover: Takeover): Promise<string> {
  stage.front.takeover = takeover;
  return report(stage);
}

/** The list of a release says another version, and its bundle is called so. */
function relabel(repository: string, version: string, as: string): void {
  const metadataDir = join(repository, "metadata");
  const lists = readdirSync(metadataDir).filter((name) => name.endsWith(".targets.json"));
  const newest = lists.toSorted((a, b) => parseInt(b) - parseInt(a))[0]!;
  const text = readFileSync(join(metadataDir, newest), "utf8");
  writeFileSync(join(metadataDir, newest), text.replaceAll(version, as));
  const targetsDir = join(repository, "targets");
  for (const name of readdirSync(targetsDir))
    if (name.includes(version))
      cpSync(join(targetsDir, name), join(targetsDir, name.replaceAll(version, as)));
}

async function portOf(control: FleetUnderTest): Promise<number> {
  control.nodesPort = await freePort();
  return control.nodesPort;
}

async function license(key: Buffer): Promise<Buffer> {
  const ledger = new Ledger(openAuthority(fleet.stateDir));
  const now = Date.now();
  const terms = { edition: "team", devices: 3, graceDays: 30, notBefore: now } as const;
  const { document } = await fleet.withDatabase((database) =>
    database.transaction((sql) =>
      ledger.issue(sql, key, { ...terms, holder: "Ada", notAfter: now + DAY_MS }, now),
    ),
  );
  return Buffer.from(document, "base64");
}

async function pack() {
  proof.say("  packing six nodes");
  const nodePath = join(dir, "node");
  copyFileSync(process.execPath, nodePath);
  mkdirSync(join(treeDir, "bin"), { recursive: true });
  writeFileSync(join(treeDir, "bin/node"), `#!/bin/sh\nexec ${nodePath} "$@"\n`);
  cpSync(x64.pathOf(x64.llamaDir), join(treeDir, x64.llamaDir), { recursive: true });
  makeReleaseTree(treeDir);
  compile("apps/node/demo/main.ts", join(treeDir, "apps/node/demo/main.js"));
  cpSync(publisher.anchorPath, join(treeDir, "anchor.json"));
  const selfTest = join(treeDir, "apps/node/self-test/main.js");
  const whole = readFileSync(selfTest, "utf8");
  const first = await packAs("0.1.0");
  const carried = await packAs("0.1.5");
  const good = await packAs("0.2.0");
  writeFileSync(selfTest, `if (process.argv[1].includes("/current/")) process.exit(1);\n${whole}`);
  const broken = await packAs("0.3.0");
  writeFileSync(selfTest, whole);
  const [better, next] = [await packAs("0.4.0"), await packAs("0.5.0")];
  return { first, carried, good, broken, better, next, forged: await smallBundle("0.6.0") };
}

function packAs(version: string, tree = treeDir): Promise<Bundle> {
  const path = join(tree, "apps/node/package.json");
  const { version: _own, ...about } = JSON.parse(readFileSync(path, "utf8")) as { version: string };
  writeFileSync(path, JSON.stringify({ ...about, version }));
  const to = join(dir, `${version}.tar.gz`);
  return packTree(tree, to, { version, commit: null, time: 0, level: 1 });
}

async function smallBundle(version: string): Promise<Bundle> {
  const tree = mkdtempSync(join(dir, "small-"));
  mkdirSync(join(tree, "apps/node"), { recursive: true });
  writeFileSync(join(tree, "apps/node/package.json"), '{"version":""}');
  return packAs(version, tree);
}
