/**
 * Brings the newest release of a repository into the herald's folder: metadata as it is, and the bundle for this machine
 * with what belongs to it. Nothing here is believed: the installer verifies all of it, and every size has its limit.
 *
 *   metadata/   timestamp.json, N.root.json, N.snapshot.json, N.targets.json
 *   targets/    SHA256.NAME
 *
 * @module
 */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import {
  compareVersions,
  LICENCE_KEYS_NAME,
  MAX_LICENCE_KEYS_BYTES,
  MAX_ROOT_BYTES,
  MAX_ROOT_ROTATIONS,
  MAX_SNAPSHOT_BYTES,
  MAX_TARGETS_BYTES,
  MAX_TIMESTAMP_BYTES,
  MAX_TRUSTED_ROOT_BYTES,
  parseMetadata,
  readRecord,
  readTarget,
  targetPath,
  TRUSTED_ROOT_NAME,
  type Attachment,
} from "@phantoma/release";
import { MAX_BUNDLE_BYTES } from "../orders/update-files.ts";
import type { Places } from "../orders/signed-places.ts";
import { writePublicFile } from "../setup/public-file.ts";
import { ask, askInPieces } from "./ask.ts";
import { HeraldError } from "./herald-error.ts";

export interface UpdateSource {
  readonly origin: string;
  readonly places: Places;
  readonly dir: string;
  readonly signal: AbortSignal;
}

/**
 * @returns the name of the bundle that is there now, or `undefined` where there is none for this machine
 * @throws {@link HeraldError}, or what `packages/release` throws for metadata that cannot even be read
 */
export async function fetchUpdate(source: UpdateSource): Promise<string | undefined> {
  for (const name of ["metadata", "targets"])
    mkdirSync(join(source.dir, name), { recursive: true, mode: 0o755 });
  const timestamp = await metadata(source, "timestamp.json", MAX_TIMESTAMP_BYTES);
  if (!timestamp) return undefined;
  const snapshotVersion = parseMetadata("timestamp", timestamp).signed.snapshotMeta.version;
  const snapshotBytes = await wanted(
    source,
    `${snapshotVersion}.snapshot.json`,
    MAX_SNAPSHOT_BYTES,
  );
  const listed = parseMetadata("snapshot", snapshotBytes).signed.meta["targets.json"];
  if (!listed) throw new HeraldError("ERR_STATUS");
  const targetsBytes = await wanted(source, `${listed.version}.targets.json`, MAX_TARGETS_BYTES);
  await roots(source);
  const { signed: targets } = parseMetadata("targets", targetsBytes);
  const records = Object.keys(targets.targets)
    .filter((name) => name.endsWith(`-linux-${process.arch}.tar.gz`))
    .map((name) => readRecord(targets, name));
  const newest = records.toSorted((a, b) => compareVersions(b.version, a.version))[0];
  if (!newest) return undefined;
  const { cyclonedx, spdx } = newest.sbom;
  const trustedRoot = readTarget(targets, TRUSTED_ROOT_NAME, MAX_TRUSTED_ROOT_BYTES);
  const licenceKeys = Object.hasOwn(targets.targets, LICENCE_KEYS_NAME)
    ? [readTarget(targets, LICENCE_KEYS_NAME, MAX_LICENCE_KEYS_BYTES)]
    : [];
  // The bundle comes last: where it is, everything that it is verified with is there.
  const files = [trustedRoot, ...licenceKeys, cyclonedx, spdx, ...newest.provenance, newest];
  sweep(join(source.dir, "targets"), files);
  for (const file of files) await target(source, file);
  return newest.name;
}

async function wanted(source: UpdateSource, name: string, maxBytes: number): Promise<Buffer> {
  const bytes = await metadata(source, name, maxBytes);
  if (!bytes) throw new HeraldError("ERR_STATUS");
  return bytes;
}

/** Each key change after the ones that are here. */
async function roots(source: UpdateSource): Promise<void> {
  const held = readdirSync(join(source.dir, "metadata"));
  for (let version = 1; version <= MAX_ROOT_ROTATIONS; version += 1) {
    const name = `${version}.root.json`;
    if (!held.includes(name) && !(await metadata(source, name, MAX_ROOT_BYTES))) return;
  }
}

async function metadata(
  { origin, places, dir, signal }: UpdateSource,
  name: string,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const url = new URL(`/v1/releases/metadata/${name}`, origin);
  const bytes = await ask({ url, places, signal }, maxBytes);
  if (bytes) writePublicFile(join(dir, "metadata", name), bytes);
  return bytes;
}

/** What is here under its digest is that file; whoever uses it hashes it again. */
async function target(
  { origin, places, dir, signal }: UpdateSource,
  file: Attachment,
): Promise<void> {
  const path = join(dir, targetPath(file));
  if (existsSync(path)) return;
  const maxBytes = Math.min(file.length, MAX_BUNDLE_BYTES);
  const url = new URL(`/v1/releases/${targetPath(file)}`, origin);
  const hash = createHash("sha256");
  const partPath = `${path}.part`;
  const part = await open(partPath, "w", 0o600);
  try {
    const isThere = await askInPieces({ url, places, signal }, maxBytes, async (piece) => {
      hash.update(piece);
      await part.writeFile(piece);
    });
    if (!isThere || hash.digest("hex") !== file.sha256) throw new HeraldError("ERR_STATUS");
    chmodSync(partPath, 0o644);
    renameSync(partPath, path);
  } finally {
    await part.close();
    rmSync(partPath, { force: true });
  }
}

/** Of releases that are not the newest any more. */
function sweep(dir: string, files: readonly Attachment[]): void {
  const kept = new Set(files.map((file) => `${file.sha256}.${file.name}`));
  for (const name of readdirSync(dir))
    if (!kept.has(name)) rmSync(join(dir, name), { force: true });
}
