/**
 * One small release in a folder, made by throw-away engineers, and signed anew after whatever a test changes in it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Anchor, parseAnchor, ReleaseFolder, type ReleaseRequest } from "@phantoma/release";
import { type Metadata, type Targets } from "@tufjs/models";
import type { Ceremony } from "../tools/release/ceremony.ts";
import { DevelopmentTeam } from "../tools/release/development/team.ts";
import {
  addSignature,
  fileBytes,
  type Listed,
  newSnapshot,
  newTargets,
  newTimestamp,
} from "../tools/release/new-metadata.ts";
import { listed } from "../tools/release/propose.ts";
import { releaseRefusal } from "./release-refusal.ts";

export const RELEASE_NAME = "phantoma-node-1.0.0-linux-x64.tar.gz";

/** Sizes to which files are padded with blanks, which JSON ignores. */
export interface Padding {
  readonly targets?: number;
  readonly snapshot?: number;
  readonly timestamp?: number;
}

export class ReleaseUnderTest {
  readonly nowMs = Date.now();
  readonly team = new DevelopmentTeam(this.nowMs);
  readonly dir = mkdtempSync(join(tmpdir(), "release-"));
  readonly filePath = join(this.dir, RELEASE_NAME);
  ceremony!: Ceremony;
  anchor!: Anchor;

  async make(): Promise<this> {
    writeFileSync(this.filePath, "a bundle");
    const parts = [{ name: "a part" }];
    const cyclonedx = { bomFormat: "CycloneDX", specVersion: "1.6", components: parts };
    writeFileSync(join(this.dir, "cyclonedx.json"), JSON.stringify(cyclonedx));
    writeFileSync(
      join(this.dir, "spdx.json"),
      JSON.stringify({ spdxVersion: "SPDX-2.3", packages: parts }),
    );
    this.ceremony = await this.team.begin(join(this.dir, "ceremony"), this.nowMs);
    const draft = {
      bundlePath: this.filePath,
      cyclonedxPath: join(this.dir, "cyclonedx.json"),
      spdxPath: join(this.dir, "spdx.json"),
      version: "1.0.0",
      minFrom: "0.9.0",
      arch: "x64",
      builds: 1,
    } as const;
    await this.team.release(this.ceremony, draft, this.nowMs);
    this.anchor = parseAnchor(
      JSON.parse(readFileSync(join(this.ceremony.dir, "anchor.json"), "utf8")),
    );
    return this;
  }

  get repository(): string {
    return join(this.ceremony.dir, "repository");
  }

  get files(): Listed[] {
    return listed(this.ceremony.targets!);
  }

  /** The code with which it is refused; `undefined` when it is accepted. */
  refusal(request: Partial<ReleaseRequest> = {}): Promise<string | undefined> {
    return releaseRefusal({
      anchor: this.anchor,
      source: new ReleaseFolder(this.repository),
      stateDir: this.newDir(),
      filePath: this.filePath,
      nowMs: this.nowMs,
      ...request,
    });
  }

  newDir(): string {
    return mkdtempSync(join(this.dir, "dir-"));
  }

  /** Everything signed again, by everybody, under the list's number: what is refused now is refused whoever signed it. */
  sign(
    targets: Metadata<Targets> = newTargets(2, this.files, this.nowMs),
    padding: Padding = {},
  ): void {
    for (const engineer of this.team.engineers) addSignature(targets, engineer);
    const { version } = targets.signed;
    const targetsBytes = this.#put(`${version}.targets.json`, fileBytes(targets), padding.targets);
    const snapshot = newSnapshot(version, targets, this.nowMs);
    Object.assign(snapshot.signed.meta["targets.json"]!, listing(targetsBytes));
    addSignature(snapshot, this.team.snapshot);
    const snapshotBytes = this.#put(
      `${version}.snapshot.json`,
      fileBytes(snapshot),
      padding.snapshot,
    );
    const timestamp = newTimestamp(version, snapshot, this.nowMs);
    Object.assign(timestamp.signed.snapshotMeta, listing(snapshotBytes));
    addSignature(timestamp, this.team.timestamp);
    this.#put("timestamp.json", fileBytes(timestamp), padding.timestamp);
  }

  /** Changes what is signed about the release. */
  signChanged(change: object, ofFile: Partial<Listed> = {}): void {
    const files = this.files.map((file) =>
      file.name === RELEASE_NAME
        ? { ...file, ...ofFile, custom: { ...file.custom, ...change } }
        : file,
    );
    this.sign(newTargets(2, files, this.nowMs));
  }

  /** Another file of the release, as the list would name it. */
  add(name: string, bytes: Uint8Array): { name: string; length: number; sha256: string } {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    mkdirSync(join(this.repository, "targets"), { recursive: true });
    writeFileSync(join(this.repository, "targets", `${sha256}.${name}`), bytes);
    return { name, length: bytes.length, sha256 };
  }

  #put(name: string, bytes: Buffer, length = bytes.length): Buffer {
    const padded = padTo(bytes, length);
    writeFileSync(join(this.repository, "metadata", name), padded);
    return padded;
  }
}

export function padTo(bytes: Uint8Array, length: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(length - bytes.length, " ")]);
}

function listing(bytes: Buffer) {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { length: bytes.length, hashes: { sha256 } };
}
