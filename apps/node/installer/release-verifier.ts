/**
 * The question that the installer asks before it unpacks anything, put to the one verifier of releases.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { chooseAnchor, type Keep, ReleaseFolder, verifyRelease } from "@phantoma/release";

export interface ReleaseToVerify {
  /** In a folder that somebody else writes. */
  readonly bundlePath: string;
  /** Makes root's own copy while it is hashed, the only one that is used afterwards. */
  readonly keep: Keep;
  /** Under which the quorum signed it. */
  readonly name: string;
  /** Signed metadata, lists of parts and proofs of origin that came with the bundle; written by somebody else. */
  readonly signedDir: string;
  /** The verifier's own folder: what it trusted last, and the latest time it saw. */
  readonly trustDir: string;
  /** The highest version that ever proved itself here; the release must allow an update from it. */
  readonly installedVersion: string;
  readonly now: Date;
}

export interface VerifiedRelease {
  readonly version: string;
  /** SHA-256 of the bundle, in hex. */
  readonly sha256: string;
  /** Who may sign licences, in hex; `null` where the quorum lists nobody. */
  readonly licenceKeys: readonly string[] | null;
}

/**
 * @param anchorPath of the release that the installer belongs to; read only by a build without release keys in it
 * @throws ReleaseError when the release does not have its quorum, or anything else that it needs
 */
export async function verify(
  anchorPath: string,
  release: ReleaseToVerify,
): Promise<VerifiedRelease> {
  const { bundlePath, keep, name, signedDir, trustDir, installedVersion, now } = release;
  const { record, licenceKeys } = await verifyRelease({
    anchor: chooseAnchor(readAnchor(anchorPath)),
    source: new ReleaseFolder(signedDir),
    stateDir: trustDir,
    filePath: bundlePath,
    name,
    keep,
    installed: installedVersion,
    nowMs: now.getTime(),
  });
  return { version: record.version, sha256: record.sha256, licenceKeys };
}

/** Root's own, in a release that root unpacked. */
function readAnchor(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
