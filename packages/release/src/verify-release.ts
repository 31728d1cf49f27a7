/**
 * The one verifier: desktop, terminal, provisioning and installer ask here whether a file is a release.
 *
 * It is one when a quorum of people signed it under keys that lead back to this build's anchor, it is fresh and not
 * older than what was seen, it was built where the anchor says, and brings the signed lists of its parts.
 *
 * @module
 */
import { basename, join } from "node:path";
import type { Targets } from "@tufjs/models";
import type { Anchor } from "./anchor.ts";
import { demandDigest, type Keep } from "./file-digest.ts";
import { LICENCE_KEYS_NAME, parseLicenceKeys } from "./licence-keys.ts";
import {
  MAX_LICENCE_KEYS_BYTES,
  MAX_PROVENANCE_BYTES,
  MAX_SBOM_BYTES,
  MAX_TRUSTED_ROOT_BYTES,
} from "./limits.ts";
import { loadMetadata } from "./metadata-chain.ts";
import { sha256 } from "./metadata-file.ts";
import { verifyProvenance } from "./provenance.ts";
import { quorumText, type Quorum } from "./quorum.ts";
import { type Check, ReleaseError, type ReleaseErrorCode } from "./release-error.ts";
import {
  type Attachment,
  readRecord,
  readTarget,
  targetPath,
  type ReleaseRecord,
} from "./release-record.ts";
import { releaseRules } from "./release-rules.ts";
import type { ReleaseSource } from "./release-source.ts";
import { countParts } from "./sbom.ts";
import { TrustedState } from "./trusted-state.ts";
import { compareVersions } from "./version.ts";

export interface ReleaseRequest {
  readonly anchor: Anchor;
  readonly source: ReleaseSource;
  /** Where this machine remembers what it has seen; one folder may serve several lines of releases. */
  readonly stateDir: string;
  /** Absent: the file lies elsewhere, and whoever uses it there compares size and digest. Then `name` says which. */
  readonly filePath?: string;
  /** The name that was signed, if the file is called otherwise here. */
  readonly name?: string;
  /** The version that is there now and would be replaced. */
  readonly installed?: string;
  /** Takes a copy of exactly the bytes that are verified, which counts only when this returns without a refusal. */
  readonly keep?: Keep;
  readonly nowMs?: number;
}

export interface ReleaseReport {
  readonly record: ReleaseRecord;
  readonly kind: Anchor["kind"];
  readonly quorums: readonly Quorum[];
  readonly builtBy: readonly string[];
  /** Who may sign licences, in hex; `null` where the quorum lists nobody. */
  readonly licenceKeys: readonly string[] | null;
  readonly checks: readonly Check[];
}

/** The name of the list of Sigstore's own keys in a release: the quorum signs it, nobody fetches another. */
export const TRUSTED_ROOT_NAME = "sigstore-trusted-root.json";
/** What the quorum lists that is no release. */
export const OTHER_TARGETS: readonly string[] = [TRUSTED_ROOT_NAME, LICENCE_KEYS_NAME];

/** @throws {@link ReleaseError} with what was found good before in `passed` */
export async function verifyRelease(request: ReleaseRequest): Promise<ReleaseReport> {
  const checks: Check[] = [];
  try {
    return await verify(request, checks);
  } catch (error) {
    if (error instanceof ReleaseError) error.passed = checks;
    throw error;
  }
}

async function verify(request: ReleaseRequest, checks: Check[]): Promise<ReleaseReport> {
  const { anchor, source, stateDir, filePath, installed, keep, nowMs = Date.now() } = request;
  const state = new TrustedState(join(stateDir, `${anchor.kind}-${anchor.line}`));
  const { targets, quorums, rootVersion, freshUntil } = await loadMetadata({
    anchor,
    rules: releaseRules,
    source,
    state,
    nowMs,
  });
  for (const quorum of quorums) checks.push({ name: quorum.role, detail: quorumText(quorum) });
  checks.push({
    name: "keys",
    detail: `${anchor.kind}, root ${rootVersion}; each key and person once`,
  });
  checks.push({
    name: "fresh",
    detail: `vouched for until ${freshUntil}; nothing seen here was newer`,
  });

  const record = readRecord(targets, request.name ?? signedName(filePath ?? ""));
  demandVersion(record, installed);
  checks.push({
    name: "version",
    detail: `${record.version} for ${record.platform}-${record.arch}, from ${record.minFrom} on; installed: ${installed ?? "none"}`,
  });

  for (const format of ["cyclonedx", "spdx"] as const) {
    const bytes = await readAttached(source, record.sbom[format], MAX_SBOM_BYTES, "ERR_SBOM");
    checks.push({ name: format, detail: `the signed list, ${countParts(format, bytes)} parts` });
  }

  const trustedRoot = await readTrustedRoot(source, targets);
  const builtBy: string[] = [];
  for (const attached of record.provenance) {
    const bytes = await readAttached(source, attached, MAX_PROVENANCE_BYTES, "ERR_PROVENANCE");
    builtBy.push(verifyProvenance(bytes, trustedRoot, { ...record, policy: anchor.provenance }));
  }
  checks.push({ name: "built by", detail: builtBy.join(", ") });

  const licenceKeys = await readLicenceKeys(source, targets);
  if (licenceKeys) checks.push({ name: "licences", detail: `signed by ${licenceKeys.join(", ")}` });

  if (filePath !== undefined) await demandDigest(filePath, record, keep);
  const whose = filePath === undefined ? "not here; " : "";
  checks.push({ name: "file", detail: `${whose}${record.length} bytes, SHA-256 ${record.sha256}` });
  return { record, kind: anchor.kind, quorums, builtBy, licenceKeys, checks };
}

/** A release names a file by digest and name; a person may have the name only. */
function signedName(filePath: string): string {
  return basename(filePath).replace(/^[0-9a-f]{64}\./, "");
}

function demandVersion({ version, minFrom }: ReleaseRecord, installed: string | undefined): void {
  if (installed === undefined) return;
  if (compareVersions(version, installed) < 0)
    throw new ReleaseError(
      "ERR_DOWNGRADE",
      `${version} is older than ${installed}, which is installed`,
    );
  if (compareVersions(installed, minFrom) < 0)
    throw new ReleaseError(
      "ERR_VERSION_FLOOR",
      `${installed} is too old for it: install ${minFrom} first`,
    );
}

async function readTrustedRoot(source: ReleaseSource, targets: Targets): Promise<Buffer> {
  const target = readTarget(targets, TRUSTED_ROOT_NAME, MAX_TRUSTED_ROOT_BYTES);
  return readAttached(source, target, MAX_TRUSTED_ROOT_BYTES, "ERR_PROVENANCE");
}

async function readLicenceKeys(source: ReleaseSource, targets: Targets) {
  if (!Object.hasOwn(targets.targets, LICENCE_KEYS_NAME)) return null;
  const target = readTarget(targets, LICENCE_KEYS_NAME, MAX_LICENCE_KEYS_BYTES);
  const bytes = await readAttached(source, target, MAX_LICENCE_KEYS_BYTES, "ERR_LICENCE_KEYS");
  return parseLicenceKeys(bytes);
}

async function readAttached(
  source: ReleaseSource,
  attached: Attachment,
  maxBytes: number,
  code: ReleaseErrorCode,
): Promise<Buffer> {
  const bytes = await source.read(targetPath(attached), maxBytes);
  if (bytes === undefined) throw new ReleaseError(code, `${attached.name} is not there`);
  if (bytes.length !== attached.length || sha256(bytes) !== attached.sha256)
    throw new ReleaseError(code, `${attached.name} is not the one that was signed`);
  return bytes;
}
