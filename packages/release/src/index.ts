/**
 * Whether a file is a release: the one verifier for desktop, terminal, provisioning and installer.
 *
 * @module
 */
export { advice, ReleaseError, type Check, type ReleaseErrorCode } from "./release-error.ts";
export { chooseAnchor, parseAnchor, type Anchor, type ProvenancePolicy } from "./anchor.ts";
export { readAnchor, readRequest, releaseDirOf, type ReleasePaths } from "./read-request.ts";
export { demandDigest, type Keep } from "./file-digest.ts";
export { readBounded, ReleaseFolder, type ReleaseSource } from "./release-source.ts";
export { newerOnNode, NodeRelease, type NodePlace } from "./node-release.ts";
export {
  OTHER_TARGETS,
  TRUSTED_ROOT_NAME,
  verifyRelease,
  type ReleaseReport,
  type ReleaseRequest,
} from "./verify-release.ts";
export { refusalText, reportText } from "./report.ts";
export * from "./limits.ts";
// What the ceremony writes, in the words of who reads it.
export { demandQuorum, quorumText, readQuorum, type Quorum } from "./quorum.ts";
export { isSignature } from "./signature.ts";
export {
  keyId,
  OWN_FIELDS,
  readRoles,
  roleNames,
  type ReleaseKind,
  type RoleName,
} from "./root-rules.ts";
export { LICENCE_KEYS_NAME, parseLicenceKeys } from "./licence-keys.ts";
export { parseMetadata } from "./metadata-file.ts";
export {
  readRecord,
  readTarget,
  targetPath,
  type Attachment,
  type ReleaseCustom,
} from "./release-record.ts";
export { readBundleName, type BundleName } from "./bundle-name.ts";
export { compareVersions, isVersion } from "./version.ts";
