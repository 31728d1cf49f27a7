/**
 * Attacks on the proof of origin and the lists of parts, with everybody's signatures under them: the quorum was
 * deceived, and the second factor must hold alone.
 *
 * @module
 */
import { rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { bundleFromJSON } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import {
  chooseAnchor,
  parseAnchor,
  ReleaseError,
  type ReleaseCustom,
  targetPath,
} from "@phantoma/release";
import { DEVELOPMENT_POLICY, identityOf } from "../../../tools/release/development/team.ts";
import { PrivateSigstore } from "../../../tools/release/development/private-sigstore.ts";
import type { BuildIdentity } from "../../../tools/release/development/certificate.ts";
import { addSignature, newRoot } from "../../../tools/release/new-metadata.ts";
import { json } from "../../../tools/release/signing-key.ts";
import type { Report } from "./main.ts";
import type { Stage } from "./stage.ts";

const EVIL = "https://evil.invalid/phantoma";

export async function attackOrigin(stage: Stage, { refused, shown }: Report): Promise<void> {
  const honest = identityOf(DEVELOPMENT_POLICY, "0.3.0");
  const attest = (identity: Partial<BuildIdentity>) =>
    stage.team.attest({ bundlePath: stage.artifactPath, version: "0.3.0" }, identity);
  const refuse = async (name: string, code: string, provenance: object) =>
    refused(name, code, await refusalWith(stage, provenance));

  shown(
    "control: an honest proof made in the same way is accepted",
    (await refusalWith(stage, await attest({}))) === undefined,
  );

  const { sigstore } = stage.team;
  const other = sigstore.attest({
    name: basename(stage.artifactPath),
    sha256: "ab".repeat(32),
    identity: honest,
  });
  shown(
    "control: Sigstore's check alone takes a proof of another file",
    acceptedBySigstore(stage, other),
  );
  await refuse("Sigstore: the subject is another file", "ERR_PROVENANCE_SUBJECT", other);
  const renamed = sigstore.attest({
    name: "other.tar.gz",
    sha256: stage.newest.sha256,
    identity: honest,
  });
  await refuse("Sigstore: the subject has another name", "ERR_PROVENANCE_SUBJECT", renamed);

  const stranger = await attest({
    issuer: EVIL,
    repository: EVIL,
    subject: EVIL,
    workflow: EVIL,
  });
  shown(
    "control: Sigstore's check without a policy takes anybody",
    acceptedBySigstore(stage, stranger),
  );
  await refuse("Sigstore: built by anybody", "ERR_PROVENANCE_IDENTITY", stranger);

  const around = await attest({ subject: `${EVIL}?${honest.subject}&`, repository: EVIL });
  shown(
    "control: Sigstore's check takes the identity inside another one",
    acceptedBySigstore(stage, around, honest.subject),
  );
  await refuse("Sigstore: the identity inside another one", "ERR_PROVENANCE_IDENTITY", around);

  await refuse(
    "Sigstore: another issuer",
    "ERR_PROVENANCE_IDENTITY",
    await attest({ issuer: "https://issuer.evil.invalid" }),
  );
  await refuse(
    "Sigstore: another repository",
    "ERR_PROVENANCE_IDENTITY",
    await attest({ repository: `${DEVELOPMENT_POLICY.repository}-fork` }),
  );
  const workflow = honest.workflow.replace("release.yml", "test.yml");
  await refuse(
    "Sigstore: another workflow",
    "ERR_PROVENANCE_IDENTITY",
    await attest({ workflow, subject: workflow }),
  );
  await refuse(
    "Sigstore: a branch instead of the version's tag",
    "ERR_PROVENANCE_IDENTITY",
    await attest({ ref: "refs/heads/main" }),
  );
  await refuse(
    "Sigstore: another version's tag",
    "ERR_PROVENANCE_IDENTITY",
    await attest(identityOf(DEVELOPMENT_POLICY, "0.2.0")),
  );

  const foreign = new PrivateSigstore(stage.nowMs).attest({
    name: basename(stage.artifactPath),
    sha256: stage.newest.sha256,
    identity: honest,
  });
  await refuse("Sigstore: another authority", "ERR_PROVENANCE", foreign);
  const unlogged = structuredClone(await attest({})) as {
    verificationMaterial: { tlogEntries: object[] };
  };
  unlogged.verificationMaterial.tlogEntries = [];
  await refuse("Sigstore: in no log", "ERR_PROVENANCE", unlogged);
  const altered = structuredClone(other) as { dsseEnvelope: { payload: string } };
  altered.dsseEnvelope.payload = (
    structuredClone(await attest({})) as typeof altered
  ).dsseEnvelope.payload;
  await refuse("Sigstore: a statement under another one's signature", "ERR_PROVENANCE", altered);

  for (const field of ["issuer", "repository", "workflow"] as const) {
    const anchor = { ...stage.anchor, provenance: { ...stage.anchor.provenance, [field]: "" } };
    refused(`no policy: ${field} is empty`, "ERR_POLICY", await stage.refusal({ anchor }));
  }
  const withoutProof = stage.forge({ files: withCustom(stage, { provenance: [] }) });
  refused("no proof of origin at all", "ERR_RECORD", await stage.refusalOf(withoutProof));
}

export async function attackParts(stage: Stage, { refused }: Report): Promise<void> {
  const { sbom } = stage.newest.custom as ReleaseCustom;
  for (const format of ["cyclonedx", "spdx"] as const) {
    const gone = stage.copy();
    rmSync(join(gone, targetPath(sbom[format])));
    refused(`${format} is missing`, "ERR_SBOM", await stage.refusalOf(gone));
    const altered = stage.copy();
    writeFileSync(join(altered, targetPath(sbom[format])), json({ components: [] }));
    refused(`${format} was altered`, "ERR_SBOM", await stage.refusalOf(altered));
    const dir = stage.copy();
    const empty = await stage.putTarget(dir, "empty.json", {});
    const forged = stage.forge({
      files: withCustom(stage, { sbom: { ...sbom, [format]: empty } }),
    });
    await stage.putTarget(forged, "empty.json", {});
    refused(`${format} is signed, and no list of parts`, "ERR_SBOM", await stage.refusalOf(forged));
  }
  const none = stage.forge({
    files: withCustom(stage, { sbom: { cyclonedx: sbom.cyclonedx } as never }),
  });
  refused("a release that lists no SPDX", "ERR_RECORD", await stage.refusalOf(none));
}

/** A build for everybody and a development release; the other way round a development build takes no other keys. */
export async function attackWithDevelopmentKeys(stage: Stage, { refused }: Report): Promise<void> {
  const own = productionAnchor(stage);
  refused(
    "a development release on a build for everybody",
    "ERR_DEVELOPMENT",
    await stage.refusal({ anchor: parseAnchor(own) }),
  );
  const given = {
    kind: "development",
    builtAt: new Date(stage.nowMs).toISOString(),
    provenance: stage.anchor.provenance,
    root: JSON.parse(stage.anchor.root.toString("utf8")) as object,
  };
  refused(
    "development keys given to a build for everybody",
    "ERR_DEVELOPMENT",
    refusalOfChoice(given, own),
  );
  refused(
    "development keys that call themselves production",
    "ERR_DEVELOPMENT",
    refusalOfChoice({ ...given, kind: "production" }, null),
  );
  refused("no keys at all", "ERR_ANCHOR", refusalOfChoice(undefined, null));
}

function productionAnchor(stage: Stage): object {
  const root = newRoot(
    1,
    { kind: "production", line: "0".repeat(32) },
    stage.team.roster,
    stage.nowMs,
  );
  for (const engineer of stage.team.engineers) addSignature(root, engineer);
  return {
    kind: "production",
    builtAt: new Date(stage.nowMs).toISOString(),
    provenance: stage.anchor.provenance,
    root: root.toJSON(),
  };
}

function refusalOfChoice(given: unknown, own: unknown): string | undefined {
  try {
    chooseAnchor(given, own);
    return undefined;
  } catch (error) {
    if (error instanceof ReleaseError) return error.code;
    throw error;
  }
}

function withCustom(stage: Stage, change: Partial<ReleaseCustom>) {
  const { newest } = stage;
  return stage.files.map((file) =>
    file.name === newest.name ? { ...newest, custom: { ...newest.custom, ...change } } : file,
  );
}

async function refusalWith(stage: Stage, provenance: object): Promise<string | undefined> {
  const made = await stage.putTarget(stage.copy(), "p.sigstore.json", provenance);
  const dir = stage.forge({ files: withCustom(stage, { provenance: [made] }) });
  await stage.putTarget(dir, "p.sigstore.json", provenance);
  return stage.refusalOf(dir);
}

/** What a caller gets who leaves all three things to the library. */
function acceptedBySigstore(stage: Stage, provenance: object, subject?: string): boolean {
  try {
    const trust = toTrustMaterial(TrustedRoot.fromJSON(stage.team.sigstore.trustedRoot));
    const entity = toSignedEntity(bundleFromJSON(provenance));
    new Verifier(trust).verify(
      entity,
      subject === undefined ? undefined : { subjectAlternativeName: subject },
    );
    return true;
  } catch {
    return false;
  }
}
