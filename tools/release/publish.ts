/**
 * Publishing: drafts with their quorum become metadata, under a new snapshot and timestamp.
 *
 * What would be published is verified first, as any machine will verify it. The timestamp is written last, so that a
 * reader, and a power cut, meets the old release or the new one.
 *
 * @module
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  OTHER_TARGETS,
  parseAnchor,
  parseMetadata,
  ReleaseFolder,
  type ReleaseReport,
  type ReleaseSource,
  targetPath,
  verifyRelease,
} from "@phantoma/release";
import type { Metadata, Root, Snapshot, Targets } from "@tufjs/models";
import { type Ceremony, draftRoles, replace } from "./ceremony.ts";
import { addSignature, fileBytes, newSnapshot, newTimestamp } from "./new-metadata.ts";
import { json, type SigningKey } from "./signing-key.ts";

export interface MachineKeys {
  readonly snapshot: SigningKey;
  readonly timestamp: SigningKey;
}

/** @returns what every release in it was found to be */
export async function publish(
  ceremony: Ceremony,
  keys: MachineKeys,
  nowMs: number,
): Promise<ReleaseReport[]> {
  for (const role of draftRoles)
    for (const { signers, needed } of ceremony.quorums(role))
      if (signers.length < needed)
        throw new Error(`${role} has ${signers.length} of the ${needed} signatures that it needs`);
  const root = ceremony.draft("root") ?? ceremony.root;
  const targets = ceremony.draft("targets") ?? ceremony.targets;
  if (targets === undefined) throw new Error("there is no list yet: begin with init");
  const snapshot = newSnapshot(ceremony.newestVersion("snapshot") + 1, targets, nowMs);
  addSignature(snapshot, keys.snapshot);
  const files = new Map<string, Buffer>([
    [`${root.signed.version}.root.json`, fileBytes(root)],
    [`${targets.signed.version}.targets.json`, fileBytes(targets)],
    [`${snapshot.signed.version}.snapshot.json`, fileBytes(snapshot)],
    ["timestamp.json", stampedBytes(ceremony, snapshot, keys.timestamp, nowMs)],
  ]);
  const anchorPath = join(ceremony.dir, "anchor.json");
  const anchor = existsSync(anchorPath)
    ? (JSON.parse(readFileSync(anchorPath, "utf8")) as object)
    : newAnchor(ceremony, root, nowMs);
  const reports = await verifyAll(ceremony, anchor, files, targets, nowMs);
  for (const [name, bytes] of files) replace(join(ceremony.metadataDir, name), bytes);
  replace(anchorPath, Buffer.from(json(anchor), "utf8"));
  ceremony.dropDrafts();
  return reports;
}

/** What is published, as any machine would find it now. */
export async function verifyPublished(ceremony: Ceremony, nowMs: number): Promise<ReleaseReport[]> {
  const { targets } = ceremony;
  if (targets === undefined) throw new Error(`nothing is published in ${ceremony.dir}`);
  const anchor = JSON.parse(readFileSync(join(ceremony.dir, "anchor.json"), "utf8")) as object;
  return verifyAll(ceremony, anchor, new Map(), targets, nowMs);
}

/** Vouches one more day for what is published; nothing else changes. */
export function refresh(ceremony: Ceremony, timestampKey: SigningKey, nowMs: number): void {
  const bytes = ceremony.published("snapshot", ceremony.newestVersion("snapshot"));
  const snapshot = parseMetadata("snapshot", bytes);
  replace(
    join(ceremony.metadataDir, "timestamp.json"),
    stampedBytes(ceremony, snapshot, timestampKey, nowMs),
  );
}

function stampedBytes(
  ceremony: Ceremony,
  snapshot: Metadata<Snapshot>,
  key: SigningKey,
  nowMs: number,
): Buffer {
  const path = join(ceremony.metadataDir, "timestamp.json");
  const before = existsSync(path)
    ? parseMetadata("timestamp", readFileSync(path)).signed.version
    : 0;
  const timestamp = newTimestamp(before + 1, snapshot, nowMs);
  addSignature(timestamp, key);
  return fileBytes(timestamp);
}

/** The first root is the anchor; later roots follow from it by their signatures. */
function newAnchor(ceremony: Ceremony, root: Metadata<Root>, nowMs: number): object {
  const own = root.signed.unrecognizedFields["x-phantoma"] as { kind: string };
  return {
    kind: own.kind,
    builtAt: new Date(nowMs).toISOString(),
    provenance: ceremony.policy,
    root: root.toJSON(),
  };
}

async function verifyAll(
  ceremony: Ceremony,
  anchor: object,
  files: ReadonlyMap<string, Buffer>,
  { signed }: Metadata<Targets>,
  nowMs: number,
): Promise<ReleaseReport[]> {
  const published = new ReleaseFolder(join(ceremony.dir, "repository"));
  const source: ReleaseSource = {
    read: async (path, maxBytes) =>
      files.get(path.replace(/^metadata\//, "")) ?? published.read(path, maxBytes),
  };
  const stateDir = mkdtempSync(join(tmpdir(), "phantoma-publish-"));
  const reports: ReleaseReport[] = [];
  try {
    for (const { path: name, hashes } of Object.values(signed.targets)) {
      if (OTHER_TARGETS.includes(name)) continue;
      const filePath = join(
        ceremony.dir,
        "repository",
        targetPath({ name, sha256: hashes["sha256"]! }),
      );
      const request = { anchor: parseAnchor(anchor), source, stateDir, filePath, name, nowMs };
      reports.push(await verifyRelease(request));
    }
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
  return reports;
}
