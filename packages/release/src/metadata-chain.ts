/**
 * From the anchor's root to the list of releases, as TUF prescribes it (specification 1.0.34, section 5).
 *
 *   root ── N+1.root ── … ── timestamp ── snapshot ── targets
 *
 * Each step is verified before the next file is read, and remembered, so that nothing older is taken later.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { Metadata, MetaFile, Root, Targets } from "@tufjs/models";
import type { Anchor } from "./anchor.ts";
import * as limits from "./limits.ts";
import { demandFresh, demandListed, parseMetadata } from "./metadata-file.ts";
import { demandQuorum, type Quorum } from "./quorum.ts";
import { ReleaseError } from "./release-error.ts";
import type { ReleaseSource } from "./release-source.ts";
import { OWN_FIELDS, readRoles, type RoleName, type TrustedRoles } from "./root-rules.ts";
import type { TrustedState } from "./trusted-state.ts";

export interface TrustedRelease {
  readonly targets: Targets;
  readonly rootVersion: number;
  readonly quorums: readonly Quorum[];
  readonly freshUntil: string;
}

interface Walk {
  readonly anchor: Anchor;
  readonly source: ReleaseSource;
  readonly state: TrustedState;
  readonly nowMs: number;
}

/** @throws {@link ReleaseError} with the code of the first thing that is not as it must be */
export async function loadMetadata(walk: Walk): Promise<TrustedRelease> {
  const { anchor, source, state, nowMs } = walk;
  demandClock(Math.max(anchor.builtAtMs, state.newestTimeMs), nowMs);
  await refuseDevelopment(anchor, source);
  const { root, roles } = await newestRoot(walk);
  demandFresh("root", root.signed, nowMs);

  const timestampBytes = await mustRead(
    source,
    "metadata/timestamp.json",
    limits.MAX_TIMESTAMP_BYTES,
  );
  const timestamp = parseMetadata("timestamp", timestampBytes);
  const quorums = [demandQuorum(roles, "root", root), demandQuorum(roles, "timestamp", timestamp)];
  const issuedMs = issueTime(timestamp.signed.unrecognizedFields[OWN_FIELDS]);
  demandClock(issuedMs, nowMs);
  const seenTimestamp = remembered(state, "timestamp");
  if (seenTimestamp !== undefined) {
    demandNotOlder("timestamp", timestamp.signed.version, seenTimestamp.signed.version);
    demandNotOlder(
      "snapshot",
      timestamp.signed.snapshotMeta.version,
      seenTimestamp.signed.snapshotMeta.version,
    );
  }
  demandFresh("timestamp", timestamp.signed, nowMs);
  state.write("timestamp.json", timestampBytes);

  const { snapshotMeta } = timestamp.signed;
  const snapshotBytes = await mustReadListed(
    source,
    "snapshot",
    snapshotMeta,
    limits.MAX_SNAPSHOT_BYTES,
  );
  const snapshot = parseMetadata("snapshot", snapshotBytes);
  quorums.push(demandQuorum(roles, "snapshot", snapshot));
  demandVersion("snapshot", snapshot, snapshotMeta);
  const targetsMeta = snapshot.signed.meta["targets.json"];
  if (targetsMeta === undefined || Object.keys(snapshot.signed.meta).length !== 1)
    throw new ReleaseError("ERR_METADATA", "snapshot lists something else than targets");
  const seenSnapshot = remembered(state, "snapshot");
  if (seenSnapshot !== undefined)
    demandNotOlder(
      "targets",
      targetsMeta.version,
      seenSnapshot.signed.meta["targets.json"]!.version,
    );
  demandFresh("snapshot", snapshot.signed, nowMs);
  state.write("snapshot.json", snapshotBytes);

  const targetsBytes = await mustReadListed(
    source,
    "targets",
    targetsMeta,
    limits.MAX_TARGETS_BYTES,
  );
  const targets = parseMetadata("targets", targetsBytes);
  quorums.push(demandQuorum(roles, "targets", targets));
  demandVersion("targets", targets, targetsMeta);
  if (targets.signed.delegations !== undefined)
    throw new ReleaseError("ERR_METADATA", "targets lets others sign in its place");
  const seenTargets = remembered(state, "targets");
  if (seenTargets !== undefined)
    demandNotOlder("targets", targets.signed.version, seenTargets.signed.version);
  demandFresh("targets", targets.signed, nowMs);
  state.write("targets.json", targetsBytes);

  state.sawTime(Math.max(nowMs, issuedMs));
  const { version: rootVersion } = root.signed;
  return { targets: targets.signed, rootVersion, quorums, freshUntil: timestamp.signed.expires };
}

interface TrustedRoot {
  readonly root: Metadata<Root>;
  readonly roles: TrustedRoles;
}

/** Walks from the newest root that is known here to the newest that there is, one signed step at a time. */
async function newestRoot({ anchor, source, state }: Walk): Promise<TrustedRoot> {
  let trusted = readRoot(anchor.root, anchor);
  const seen = state.read("root.json");
  if (seen !== undefined) {
    const remembered = readRoot(seen, anchor);
    if (remembered.root.signed.version > trusted.root.signed.version) trusted = remembered;
  }
  for (let rotations = 0; ; rotations += 1) {
    const version = trusted.root.signed.version + 1;
    const bytes = await source.read(`metadata/${version}.root.json`, limits.MAX_ROOT_BYTES);
    if (bytes === undefined) return trusted;
    if (rotations === limits.MAX_ROOT_ROTATIONS)
      throw new ReleaseError("ERR_ROOT_CHAIN", `more than ${rotations} changes of keys`);
    const next = readRoot(bytes, anchor);
    demandQuorum(trusted.roles, "root", next.root);
    if (next.root.signed.version !== version)
      throw new ReleaseError(
        "ERR_ROLLBACK",
        `root ${version} calls itself ${next.root.signed.version}`,
      );
    const isSame = (name: RoleName) =>
      isDeepStrictEqual(trusted.roles.role(name), next.roles.role(name));
    if (!isSame("timestamp") || !isSame("snapshot"))
      state.forget("timestamp.json", "snapshot.json");
    state.write("root.json", bytes);
    trusted = next;
  }
}

function readRoot(untrusted: Uint8Array, { kind, line }: Anchor): TrustedRoot {
  const root = parseMetadata("root", untrusted);
  const roles = readRoles(root.signed);
  demandQuorum(roles, "root", root);
  if (roles.kind !== kind)
    throw new ReleaseError(
      "ERR_DEVELOPMENT",
      `the keys are for ${roles.kind}, this build for ${kind}`,
    );
  if (roles.line !== line) throw new ReleaseError("ERR_ANCHOR", "the keys are another line's");
  return { root, roles };
}

/**
 * Says what it is when a build for everybody meets a development release. Only a reason to refuse: the file that says
 * so is nobody's, and without this the quorum would refuse.
 */
async function refuseDevelopment({ kind }: Anchor, source: ReleaseSource): Promise<void> {
  if (kind !== "production") return;
  const first = await source.read("metadata/1.root.json", limits.MAX_ROOT_BYTES);
  if (first === undefined) return;
  if (readRoles(parseMetadata("root", first).signed).kind === "development")
    throw new ReleaseError("ERR_DEVELOPMENT", "it is signed by throw-away keys");
}

function remembered<R extends "timestamp" | "snapshot" | "targets">(state: TrustedState, role: R) {
  const bytes = state.read(`${role}.json`);
  return bytes === undefined ? undefined : parseMetadata(role, bytes);
}

async function mustRead(source: ReleaseSource, path: string, maxBytes: number): Promise<Buffer> {
  const bytes = await source.read(path, maxBytes);
  if (bytes === undefined) throw new ReleaseError("ERR_MISSING", `${path} is not there`);
  return bytes;
}

async function mustReadListed(
  source: ReleaseSource,
  role: RoleName,
  listed: MetaFile,
  maxBytes: number,
): Promise<Buffer> {
  const bytes = await mustRead(source, `metadata/${listed.version}.${role}.json`, maxBytes);
  demandListed(role, listed, bytes);
  return bytes;
}

function demandVersion(
  role: RoleName,
  file: { readonly signed: { readonly version: number } },
  listed: MetaFile,
): void {
  if (file.signed.version !== listed.version)
    throw new ReleaseError(
      "ERR_MISMATCH",
      `${role} ${listed.version} calls itself ${file.signed.version}`,
    );
}

function demandNotOlder(role: RoleName, version: number, seen: number): void {
  if (version < seen)
    throw new ReleaseError(
      "ERR_ROLLBACK",
      `${role} ${version} is older than ${seen}, which was seen before`,
    );
}

function demandClock(floorMs: number, nowMs: number): void {
  if (nowMs + limits.CLOCK_SKEW_MS < floorMs)
    throw new ReleaseError("ERR_CLOCK", `it was ${new Date(floorMs).toISOString()} before`);
}

function issueTime(own: unknown): number {
  const issued = (own as { issued?: unknown } | undefined)?.issued;
  const issuedMs = typeof issued === "string" ? Date.parse(issued) : Number.NaN;
  if (Number.isNaN(issuedMs)) throw new ReleaseError("ERR_METADATA", "timestamp does not say when");
  return issuedMs;
}
