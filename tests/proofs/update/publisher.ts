/**
 * Who releases what the machine of this proof is offered: five throw-away engineers, by the ceremony that people follow.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LICENCE_KEYS_NAME } from "@phantoma/release";
import { bundleName } from "../../../apps/node/installer/manifest.ts";
import type { Bundle } from "../../../tools/bundle/bundle.ts";
import { DevelopmentTeam, type Draft } from "../../../tools/release/development/team.ts";
import type { Ceremony } from "../../../tools/release/ceremony.ts";
import { listed } from "../../../tools/release/propose.ts";
import { publish } from "../../../tools/release/publish.ts";
import { forge } from "../release/forge.ts";
import { writeLists } from "../release/stage.ts";

export class Publisher {
  readonly #dir: string;
  readonly #nowMs = Date.now();
  readonly #team = new DevelopmentTeam(this.#nowMs);
  #ceremony!: Ceremony;
  #count = 0;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Keys and an empty list: there is an anchor from here on. */
  static async begin(dir: string): Promise<Publisher> {
    const publisher = new Publisher(dir);
    mkdirSync(dir);
    writeLists(dir);
    const team = publisher.#team;
    publisher.#ceremony = await team.begin(join(dir, "ceremony"), publisher.#nowMs);
    team.sign(publisher.#ceremony, team.engineers.slice(0, 3));
    await publish(publisher.#ceremony, team, publisher.#nowMs);
    return publisher;
  }

  get anchorPath(): string {
    return join(this.#ceremony.dir, "anchor.json");
  }

  /** What is published, as it changes: a control plane serves it. */
  get repository(): string {
    return join(this.#ceremony.dir, "repository");
  }

  /** A copy of all that is published, bundles as well. */
  wholeCopy(): string {
    const dir = this.#newDir();
    cpSync(this.repository, dir, { recursive: true });
    return dir;
  }

  /**
   * Three engineers sign it.
   *
   * @param as what they take it for, where it is not what its manifest says
   * @returns everything that is published now, as a node is given it
   */
  async release(
    bundle: Bundle,
    { as = bundle.manifest.version, minFrom = "0.0.1" } = {},
  ): Promise<string> {
    await this.#team.release(this.#ceremony, this.#draftOf(bundle, as, minFrom), this.#nowMs);
    return this.#copy();
  }

  /** Three engineers sign who may sign licences, in hex. */
  async listLicenceKeys(...keys: readonly string[]): Promise<void> {
    await this.#team.listLicenceKeys(this.#ceremony, keys, this.#nowMs);
  }

  /**
   * The next list with this bundle and this key of licences, which one engineer signed, and both machines: a verifier remembers their timestamp, so
   * that the next honest one must be newer. Nothing is published.
   */
  async underSigned(bundle: Bundle, licenceKey: string): Promise<string> {
    const draft = this.#draftOf(bundle, bundle.manifest.version, "0.0.1");
    await this.#team.propose(this.#ceremony, draft, this.#nowMs);
    const dir = this.wholeCopy();
    const keys = Buffer.from(JSON.stringify({ keys: [licenceKey] }));
    const sha256 = createHash("sha256").update(keys).digest("hex");
    writeFileSync(join(dir, "targets", `${sha256}.${LICENCE_KEYS_NAME}`), keys);
    const files = [
      ...listed(this.#ceremony.draft("targets")!),
      { name: LICENCE_KEYS_NAME, length: keys.length, sha256 },
    ];
    const timestampVersion = this.#ceremony.newestVersion("targets") + 1;
    const by = { signers: [this.#team.engineers[0]!], madeAtMs: this.#nowMs };
    forge(dir, this.#ceremony, this.#team, { files, timestampVersion, ...by });
    this.#ceremony.dropDrafts();
    return dir;
  }

  /** What was published, as two engineers and both machines had vouched for it at that time. */
  vouchedAt(madeAtMs: number): string {
    const dir = this.wholeCopy();
    forge(dir, this.#ceremony, this.#team, { madeAtMs });
    return dir;
  }

  /** The same list once more, a version on, with the signature of one engineer and of both machines. */
  signedByOne(): string {
    const dir = this.#copy();
    const signers = [this.#team.engineers[0]!];
    forge(dir, this.#ceremony, this.#team, { signers, madeAtMs: this.#nowMs });
    return dir;
  }

  /** Without the bundles: a node is given the one that it shall install. */
  #copy(): string {
    const dir = this.#newDir();
    cpSync(join(this.#ceremony.dir, "repository"), dir, {
      recursive: true,
      filter: (path) => !path.endsWith(".tar.gz"),
    });
    return dir;
  }

  #draftOf(bundle: Bundle, version: string, minFrom: string): Draft {
    const bundlePath = join(this.#newDir(), bundleName(version));
    copyFileSync(bundle.path, bundlePath);
    const [cyclonedxPath, spdxPath] = ["cyclonedx.json", "spdx.json"].map((name) =>
      join(this.#dir, name),
    ) as [string, string];
    return { bundlePath, cyclonedxPath, spdxPath, version, minFrom, arch: "x64", builds: 1 };
  }

  #newDir(): string {
    this.#count += 1;
    const dir = join(this.#dir, String(this.#count));
    mkdirSync(dir);
    return dir;
  }
}
