/**
 * Five throw-away engineers with keys in memory and a Sigstore of their own: a whole release on one machine.
 *
 * The path is the one of real releases; only the keys are nobody's, the root says `development`, and a build for
 * everybody refuses it.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  LICENCE_KEYS_NAME,
  type ProvenancePolicy,
  type ReleaseReport,
  TRUSTED_ROOT_NAME,
} from "@phantoma/release";
import { Ceremony } from "../ceremony.ts";
import { draftFirstRoot } from "../change-keys.ts";
import type { Roster } from "../new-metadata.ts";
import { addOther, digest, propose, type Proposal } from "../propose.ts";
import { publish } from "../publish.ts";
import { json, makeKey, type SigningKey } from "../signing-key.ts";
import type { BuildIdentity } from "./certificate.ts";
import { PrivateSigstore } from "./private-sigstore.ts";

export const DEVELOPMENT_POLICY: ProvenancePolicy = {
  issuer: "https://issuer.development.invalid",
  repository: "https://source.development.invalid/phantoma",
  workflow: ".github/workflows/release.yml",
};

export type Draft = Omit<Proposal, "provenancePaths">;

export class DevelopmentTeam {
  readonly engineers: readonly SigningKey[] = ["Ada", "Ben", "Cleo", "Dara", "Emil"].map(makeKey);
  readonly snapshot = makeKey("snapshot machine");
  readonly timestamp = makeKey("timestamp machine");
  readonly sigstore: PrivateSigstore;

  constructor(nowMs: number) {
    this.sigstore = new PrivateSigstore(nowMs);
  }

  get roster(): Roster {
    return {
      root: { keys: this.engineers, threshold: 3 },
      targets: { keys: this.engineers, threshold: 2 },
      snapshot: { keys: [this.snapshot], threshold: 1 },
      timestamp: { keys: [this.timestamp], threshold: 1 },
    };
  }

  /** A ceremony whose first root and list have been drafted and signed, but not published. */
  async begin(dir: string, nowMs: number, policy = DEVELOPMENT_POLICY): Promise<Ceremony> {
    const ceremony = new Ceremony(dir);
    ceremony.begin(policy);
    draftFirstRoot(ceremony, "development", this.roster, nowMs);
    await withFile("sigstore.json", this.sigstore.trustedRoot, (path) =>
      addOther(ceremony, path, TRUSTED_ROOT_NAME, nowMs),
    );
    return ceremony;
  }

  /** Proof of origin and proposal: a draft that nobody has signed. */
  async propose(ceremony: Ceremony, draft: Draft, nowMs: number): Promise<void> {
    const bundle = await this.attest(draft);
    await withFile(`${basename(draft.bundlePath)}.sigstore.json`, bundle, (path) =>
      propose(ceremony, { ...draft, provenancePaths: [path] }, nowMs),
    );
  }

  /** A proposal, three signatures, and out. */
  async release(ceremony: Ceremony, draft: Draft, nowMs: number): Promise<ReleaseReport[]> {
    await this.propose(ceremony, draft, nowMs);
    this.sign(ceremony, this.engineers.slice(0, 3));
    return publish(ceremony, this, nowMs);
  }

  /** Who may sign licences: listed, signed and out. */
  async listLicenceKeys(
    ceremony: Ceremony,
    keys: readonly string[],
    nowMs: number,
  ): Promise<ReleaseReport[]> {
    await withFile(LICENCE_KEYS_NAME, { keys }, (path) =>
      addOther(ceremony, path, LICENCE_KEYS_NAME, nowMs),
    );
    this.sign(ceremony, this.engineers.slice(0, 3));
    return publish(ceremony, this, nowMs);
  }

  async attest(
    { bundlePath, version }: Pick<Draft, "bundlePath" | "version">,
    identity: Partial<BuildIdentity> = {},
  ): Promise<object> {
    const name = basename(bundlePath);
    const built = { ...identityOf(DEVELOPMENT_POLICY, version), ...identity };
    return this.sigstore.attest({ name, sha256: await digest(bundlePath), identity: built });
  }

  sign(ceremony: Ceremony, engineers: readonly SigningKey[]): void {
    for (const engineer of engineers)
      for (const signature of ceremony.sign(engineer)) ceremony.merge(signature);
  }
}

/** What a certificate says about a build that the policy wants. */
export function identityOf(
  { issuer, repository, workflow }: ProvenancePolicy,
  version: string,
): BuildIdentity {
  const ref = `refs/tags/v${version}`;
  const subject = `${repository}/${workflow}@${ref}`;
  return { issuer, repository, subject, workflow: subject, ref };
}

async function withFile(
  name: string,
  content: object,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "phantoma-file-"));
  try {
    writeFileSync(join(dir, name), json(content));
    await use(join(dir, name));
  } finally {
    rmSync(dir, { recursive: true });
  }
}
