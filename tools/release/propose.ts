/**
 * A proposal: a bundle with its lists of parts and its proofs of origin becomes a draft of the next signed list.
 *
 * @module
 */
import { constants, copyFileSync, createReadStream, existsSync, statSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import {
  type Attachment,
  type LICENCE_KEYS_NAME,
  readRecord,
  type ReleaseCustom,
  targetPath,
  type TRUSTED_ROOT_NAME,
} from "@phantoma/release";
import type { Metadata, Targets } from "@tufjs/models";
import type { Ceremony } from "./ceremony.ts";
import { type Listed, newTargets } from "./new-metadata.ts";

export interface Proposal {
  readonly bundlePath: string;
  readonly cyclonedxPath: string;
  readonly spdxPath: string;
  readonly provenancePaths: readonly string[];
  readonly version: string;
  readonly minFrom: string;
  readonly arch: ReleaseCustom["arch"];
  readonly builds: number;
}

/** Copies the files into the repository, where only a signed list makes them anything, and drafts that list. */
export async function propose(
  ceremony: Ceremony,
  proposal: Proposal,
  nowMs: number,
): Promise<void> {
  const bundle = await add(ceremony, proposal.bundlePath);
  const custom: ReleaseCustom = {
    product: "phantoma-node",
    version: proposal.version,
    platform: "linux",
    arch: proposal.arch,
    minFrom: proposal.minFrom,
    builds: proposal.builds,
    sbom: {
      cyclonedx: await add(ceremony, proposal.cyclonedxPath),
      spdx: await add(ceremony, proposal.spdxPath),
    },
    provenance: await Promise.all(proposal.provenancePaths.map((path) => add(ceremony, path))),
  };
  const { targets } = ceremony;
  if (targets === undefined) throw new Error("there is no list yet: begin with init");
  const others = listed(targets).filter(({ name }) => name !== bundle.name);
  draftTargets(ceremony, [...others, { ...bundle, custom }], nowMs);
  readRecord(ceremony.draft("targets")!.signed, bundle.name);
}

/** Drafts the next list with this file in it, such as Sigstore's own keys, signed by the quorum like a release. */
export async function addOther(
  ceremony: Ceremony,
  path: string,
  name: typeof TRUSTED_ROOT_NAME | typeof LICENCE_KEYS_NAME,
  nowMs: number,
): Promise<void> {
  const { targets } = ceremony;
  const others = targets === undefined ? [] : listed(targets);
  const added = await add(ceremony, path, name);
  draftTargets(ceremony, [...others.filter((file) => file.name !== name), added], nowMs);
}

export function draftTargets(ceremony: Ceremony, files: readonly Listed[], nowMs: number): void {
  const version = ceremony.newestVersion("targets") + 1;
  ceremony.writeDraft("targets", newTargets(version, files, nowMs));
}

export function listed({ signed }: Metadata<Targets>): Listed[] {
  return Object.values(signed.targets).map(({ path, length, hashes, custom }) => ({
    name: path,
    length,
    sha256: hashes["sha256"]!,
    ...(Object.keys(custom).length === 0 ? {} : { custom }),
  }));
}

export async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function add(ceremony: Ceremony, path: string, name = basename(path)): Promise<Attachment> {
  const attachment = { name, length: statSync(path).size, sha256: await digest(path) };
  const to = join(ceremony.dir, "repository", targetPath(attachment));
  if (!existsSync(to)) copyFileSync(path, to, constants.COPYFILE_FICLONE);
  return attachment;
}
