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
}

async function showRefused(carrier: Carrier): Promise<void> {
  const { proof, dir, person, node, publisher, bundle } = carrier;
  // Before the honest list of this number is made.
  const underSigned = await publisher.underSigned(bundle);
  await publisher.release(bundle);
  publisher.refresh();
  const twoDaysOld = publisher.vouchedAt(Date.now() - 2 * DAY_MS);
  const changed = publisher.wholeCopy();
  const held = `targets/${bundle.sha256}.${bundleName(bundle.manifest.version)}`;
  const bytes = readFileSync(join(changed, held));
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(join(changed, held), bytes);
  const attacker = await Publisher.begin(join(dir, "folder-attacker"));
  await attacker.release(carrier.forged);
  const before = (await person.update()).given;
  for (const [what, from, refusal] of [
    ["a list that one engineer signed", underSigned, "ERR_QUORUM"],
    ["a list that was frozen for two days", twoDaysOld, "ERR_EXPIRED"],
    ["a bundle with one bit changed", changed, "ERR_DIGEST"],
    ["a release of other engineers", attacker.repository, "ERR_QUORUM"],
  ] as const) {
    const said = await person.phantoma("update", "approve", "--from", from);
    const code = said.json?.error?.code ?? "taken";
    const { given } = await person.update();
    proof.row({
      name: `from a folder, the admin's own program refuses ${what}, and sends nothing`,
      holds: said.code === 1 && code === refusal && given?.sha256 === before?.sha256,
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
    const isSame = node.machine.names().join() === names;
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

async function showLicence(carrier: Carrier): Promise<void> {
  const { proof, dir, person, authority, licence } = carrier;
  const own = licenceDocument.open(licence, () => authority.publicKey);
  const stranger = generateNodeIdentity().signing;
  const of = (change: Partial<Licence>, { privateKey }: NodeIdentity["signing"] = authority) =>
    Buffer.from(licenceDocument.sign({ ...own, ...change }, privateKey));
  const take = async (document: Buffer) => {
    const path = join(mkdtempSync(join(dir, "licence-")), "licence");
    writeFileSync(path, document);
    const { code, text } = await person.phantoma("report", "licence", path);
    return code === 0 ? "taken" : (/ERR_\w+/.exec(text)?.[0] ?? text);
  };
  const standings = async () =>
    (await person.reporting()).licences.map(({ standing }) => standing).join() || "none";

  const early = await take(licence);
  const key = Buffer.from(authority.publicKey).toString("hex");
  await person.phantoma("report", "off", "--key", key);
  const others = [
    await take(of({ sequence: own.sequence + 1n }, stranger)),
    await take(of({ node: stranger.publicKey })),
  ];
  const before = await standings();
  proof.row({
    name: "a licence from a file is refused while no admin said whose count, and so is another's",
    holds: [early, ...others].every((one) => one === "ERR_DOCUMENT_REFUSED") && before === "none",
    detail: [early, ...others].join(", "),
  });
  const taken = await take(licence);
  const now = await standings();
  const { order, sent } = await person.reporting();
  proof.row({
    name: "once an admin named the key it is taken, and nothing is sent to anybody",
    holds: taken === "taken" && now === "valid" && order?.endpoints.length === 0 && !sent[0],
    detail: `${taken}, ${now}, ${sent.length} heartbeats`,
  });
}
