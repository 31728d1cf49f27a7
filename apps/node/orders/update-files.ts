/**
 * What lies of a release in a folder of the herald or of the keeper, by names alone: nobody here opens any of it.
 *
 *   metadata/   timestamp.json, N.root.json, N.snapshot.json, N.targets.json
 *   targets/    SHA256.NAME; the bundle's name says its version
 *
 * @module
 */
import { lstatSync, opendirSync } from "node:fs";
import { basename, join } from "node:path";
import { compareVersions, readBundleName } from "@phantoma/release";

/** The newest device's word that a release may be installed; whoever writes it writes it last. */
export const APPROVAL_FILE = "update.approval";
/** An admin's word that releases with their quorum may be installed without asking, or no longer. */
export const POLICY_FILE = "update.policy";
/** Which one the policy is asked about: its version and the bundle's SHA-256. */
export const OFFER_FILE = "update.offer";
/** In a folder of root's: how the last update ended. */
export const OUTCOME_OF_UPDATE = "last.json";

/** 2 GiB: a bundle has 80 MB, and one with GPU libraries would have 600. */
export const MAX_BUNDLE_BYTES = 2 * 2 ** 30;

/** Of one folder, and no more are looked at: a release has at most 256 files, and each may have a half beside it. */
export const MAX_NAMES = 1024;

const METADATA_PATH = /^metadata\/(?:timestamp|[1-9]\d{0,9}\.(?:root|snapshot|targets))\.json$/;
const TARGET_PATH = /^targets\/[0-9a-f]{64}\.[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** SHA-256 and the name that was signed. */
const TARGET_NAME = /^([0-9a-f]{64})\.(.+)$/;

export interface HeldBundle {
  /** Below its folder. */
  readonly path: string;
  readonly version: string;
  /** What its name says; whoever uses it hashes it. */
  readonly sha256: string;
  readonly bytes: number;
  /** By this machine's clock, ms. */
  readonly cameAt: number;
}

/** Whether a release may have a file of this name there. */
export function isReleasePath(path: string): boolean {
  return METADATA_PATH.test(path) || TARGET_PATH.test(path);
}

/** Every file of a release in `dir` that may be there. */
export function releasePaths(dir: string): string[] {
  return ["metadata", "targets"]
    .flatMap((folder) => namesIn(join(dir, folder)).map((name) => `${folder}/${name}`))
    .filter(isReleasePath);
}

/** Whether it is a bundle by its name, for whichever processor. */
export function isBundlePath(path: string): boolean {
  const [, , signedName = ""] = TARGET_NAME.exec(basename(path)) ?? [];
  return readBundleName(signedName) !== undefined;
}

/** The bundles for this machine, the highest version first. */
export function bundlesIn(dir: string): HeldBundle[] {
  const found: HeldBundle[] = [];
  for (const name of namesIn(join(dir, "targets"))) {
    const [, sha256, signedName = ""] = TARGET_NAME.exec(name) ?? [];
    const { version, arch } = readBundleName(signedName) ?? {};
    if (!sha256 || !version || arch !== process.arch) continue;
    const path = `targets/${name}`;
    const stat = lstatSync(join(dir, path), { throwIfNoEntry: false });
    if (stat?.isFile())
      found.push({ path, version, sha256, bytes: stat.size, cameAt: stat.ctimeMs });
  }
  return found.toSorted((a, b) => compareVersions(b.version, a.version));
}

/** The first of them: whoever writes the folder must not keep its reader busy. */
export function namesIn(dir: string): string[] {
  const names: string[] = [];
  try {
    using folder = opendirSync(dir);
    for (let entry = folder.readSync(); entry; entry = folder.readSync())
      if (names.push(entry.name) === MAX_NAMES) break;
  } catch {
    // A folder that is not there has no names.
  }
  return names;
}
