/**
 * The question that the installer asks before it unpacks anything, and of whom: the one verifier of releases.
 *
 * @module
 */
import { InstallError } from "./install-error.ts";

export interface ReleaseToVerify {
  /** Root's own copy, which nobody else can change. */
  readonly bundlePath: string;
  /** Under which the quorum signed it. */
  readonly name: string;
  /** Signed metadata that came with the bundle; written by somebody else. */
  readonly metadataDir: string;
  /** The verifier's own folder: what it trusted last, and the latest time it saw. */
  readonly trustDir: string;
  /** The highest version that ever proved itself here; the release must be newer, and allow an update from it. */
  readonly installedVersion: string;
  readonly now: Date;
}

export interface VerifiedRelease {
  readonly version: string;
  /** SHA-256 of the bundle, in hex. */
  readonly sha256: string;
}

/** Rejects when the release does not have its quorum, or anything else that it needs. */
export type VerifyRelease = (release: ReleaseToVerify) => Promise<VerifiedRelease>;

/** Bound to the package that verifies releases; a build without it installs nothing. */
export const verifyRelease: VerifyRelease = async () => {
  throw new InstallError("ERR_NO_VERIFIER");
};
