/**
 * A node that no order ever told where to report: its releases and its licence come from a folder, through the tunnel.
 *
 * A folder that is not in order is refused twice: by the admin's own program before anything is sent, and by the node
 * when a device sends it all the same.
 *
 * @module
 */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  generateNodeIdentity,
  licenceDocument,
  type Licence,
  type NodeIdentity,
} from "@phantoma/crypto";
import { parseAnchor, ReleaseFolder } from "@phantoma/release";
import { bundleName } from "../../../apps/node/installer/manifest.ts";
import type { Bundle } from "../../../tools/bundle/bundle.ts";
import type { Proof } from "../../proof.ts";
import { releaseRefusal } from "../../release-refusal.ts";
import { Publisher } from "../update/publisher.ts";
import { runs, runsNow, signersOf, until, type Stage } from "./stage.ts";

const DAY_MS = 86_400_000;
/** Whose key no quorum lists. */
const stranger = generateNodeIdentity().signing;

interface Carrier extends Pick<Stage, "person" | "node"> {
  readonly proof: Proof;
  readonly dir: string;
  readonly publisher: Publisher;
  readonly bundle: Bundle;
  /** Nobody signed it but its own engineers. */
  readonly forged: Bundle;
  /** The control plane that a licence is of. Nothing of it runs. */
  readonly authority: NodeIdentity["signing"];
  readonly licence: Buffer;
}

export async function showFolder(carrier: Carrier): Promise<void> {
  await showRefused(carrier);
  await showLicence(carrier);
  const { proof, person, publisher, bundle } = carrier;
  const { version } = bundle.manifest;
  const dir = publisher.wholeCopy();
  const shown = await person.phantoma("update", "--from", dir);
  const signers = signersOf(shown.json?.waiting);
  const approved = await person.phantoma("update", "approve", version, "--from", dir);
  const ended = await until(() => runsNow(carrier, version));
  const isAlone = (await person.reporting()).sent.length === 0;
  const also = signers.isEnough && approved.code === 0 && ended && isAlone;
  proof.row({
    name: "from a folder, a node that never spoke to a control plane installs what its quorum signed",
    ...(await runs(carrier, version, also, signers.text)),
  });
  await person.phantoma("update");
  await showListedKeys(carrier);
}

async function showRefused(carrier: Carrier): Promise<void> {
  const { proof, dir, person, node, publisher, bundle } = carrier;
  // Before the honest list of this number is made.
  const underSigned = await publisher.underSigned(bundle, hexOf(stranger));
  await publisher.listLicenceKeys(hexOf(carrier.authority));
  await publisher.release(bundle);
  const twoDaysOld = publisher.vouchedAt(Date.now() - 2 * DAY_MS);
  const changed = publisher.wholeCopy();
  const held = `targets/${bundle.sha256}.${bundleName(bundle.manifest.version)}`;
  const bytes = readFileSync(join(changed, held));
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(join(changed, held), bytes);
  const attacker = await Publisher.begin(join(dir, "folder-attacker"));
  await attacker.release(carrier.forged);
  const shas = async () => (await person.update()).given.map((one) => one.sha256).join();
  const before = await shas();
  for (const [what, from, refusal] of [
    ["a list that one engineer signed", underSigned, "ERR_QUORUM"],
    ["a list that was frozen for two days", twoDaysOld, "ERR_EXPIRED"],
    ["a bundle with one bit changed", changed, "ERR_DIGEST"],
    ["a release of other engineers", attacker.repository, "ERR_QUORUM"],
  ] as const) {
    const said = await person.phantoma("update", "approve", "--from", from);
    const code = said.json?.error?.code ?? "taken";
    const after = await shas();
    proof.row({
      name: `from a folder, the admin's own program refuses ${what}, and sends nothing`,
      holds: said.code === 1 && code === refusal && after === before,
      detail: code,
    });
  }
  const names = node.machine.names().join();
  for (const [what, from, refusal] of [
    // First: a file that is there whole is not sent again.
    ["the changed bundle", changed, "ERR_DIGEST"],
    ["the list of one engineer", underSigned, "ERR_QUORUM"],
    ["the frozen list", twoDaysOld, "ERR_EXPIRED"],
  ] as const) {
    const count = node.installed.length;
    const pushed = await person.pushUnchecked(from, bundle);
    if (pushed === undefined) await until(async () => node.installed.length > count);
    const { advice = "nothing was refused" } = node.installed[0] ?? {};
    const answer = pushed ?? /\((ERR_\w+)/.exec(advice)?.[1] ?? advice;
    const isSame = node.machine.names().join() === names && node.licenceKeys === "none";
    proof.row({
      name: `sent by a device that looks at nothing, the node refuses ${what}, and nothing changes`,
      ...(await runs(carrier, "0.1.0", answer === refusal && isSame, answer)),
    });
  }

  const anchor = parseAnchor(JSON.parse(readFileSync(publisher.anchorPath, "utf8")));
  const today = publisher.vouchedAt(Date.now());
  const refused = await releaseRefusal({
    anchor,
    source: new ReleaseFolder(today),
    stateDir: mkdtempSync(join(dir, "t-")),
    filePath: join(today, held),
  });
  proof.control("the frozen list, made today, is taken", refused === undefined, refused ?? "taken");
}

async function showLicence({ proof, person, authority, licence }: Carrier): Promise<void> {
  const other = generateNodeIdentity().signing;
  const early = await person.takeLicence(licence);
  await person.phantoma("report", "off", "--key", hexOf(authority));
  const others = [
    await person.takeLicence(licenceOf(licence, {}, other)),
    await person.takeLicence(licenceOf(licence, { node: other.publicKey }, authority)),
  ];
  const before = await person.standings();
  proof.row({
    name: "a licence from a file is refused while nobody said whose count, and so is another's",
    holds: [early, ...others].every((one) => one === "ERR_DOCUMENT_REFUSED") && before === "none",
    detail: [early, ...others].join(", "),
  });
  const taken = await person.takeLicence(licence);
  const now = await person.standings();
  const { order, sent } = await person.reporting();
  proof.row({
    name: "once an admin named the key it is taken, and nothing is sent to anybody",
    holds: taken === "taken" && now === "valid" && order?.endpoints.length === 0 && !sent[0],
    detail: `${taken}, ${now}, ${sent.length} heartbeats`,
  });
}

/** The list that came with the release counts from here on, and no admin's word about keys. */
async function showListedKeys(carrier: Carrier): Promise<void> {
  const { proof, person, node, authority, licence } = carrier;
  await person.phantoma("report", "off", "--key", hexOf(stranger));
  const theirs = await person.takeLicence(licenceOf(licence, {}, stranger));
  const ours = await person.takeLicence(licence);
  const standings = await person.standings();
  const { keys } = JSON.parse(node.licenceKeys) as { keys: string[] };
  proof.row({
    name: "with it came the quorum's list of licence keys: one of those counts, and none that an admin names",
    holds:
      keys.join() === hexOf(authority) &&
      theirs === "ERR_DOCUMENT_REFUSED" &&
      ours === "taken" &&
      standings === "valid",
    detail: `${theirs}; the listed one ${ours}, ${standings}`,
  });
}

/** The same for another node, or by another key; a sequence on. */
export function licenceOf(
  licence: Uint8Array,
  change: Partial<Licence>,
  by: NodeIdentity["signing"],
): Uint8Array {
  let fields: Licence | undefined;
  try {
    licenceDocument.open(licence, (unverified) => void (fields = unverified));
  } catch {
    // Only its fields are wanted.
  }
  const { sequence, ...rest } = fields!;
  return licenceDocument.sign({ ...rest, sequence: sequence + 1n, ...change }, by.privateKey);
}

export function hexOf({ publicKey }: NodeIdentity["signing"]): string {
  return Buffer.from(publicKey).toString("hex");
}
