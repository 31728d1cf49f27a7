/**
 * From the anchor's root to the list of releases, as TUF prescribes it (specification 1.0.34, section 5).
 *
 *   root ── N+1.root ── … ── timestamp ── snapshot ── targets
 *
 * Each step is verified before the next file is read, and remembered, so that nothing older is taken later. What was
 * remembered and still is the newest is not read again.
 *
 * @module
 */
import type { Metadata, MetaFile, Root, Targets } from "@tufjs/models";
import type { Anchor } from "./anchor.ts";
import * as limits from "./limits.ts";
import { demandFresh, demandListed, type KindOf, parseMetadata } from "./metadata-file.ts";
import { demandQuorum, type Quorum } from "./quorum.ts";
import { ReleaseError } from "./release-error.ts";
import type { Rules } from "./release-rules.ts";
import type { ReleaseSource } from "./release-source.ts";
import type { RoleName, TrustedRoles } from "./root-rules.ts";
import type { TrustedState } from "./trusted-state.ts";

export interface TrustedRelease {
  readonly targets: Targets;
  readonly rootVersion: number;
  readonly quorums: readonly Quorum[];
  readonly freshUntil: string;
}

interface Walk {
  readonly anchor: Pick<Anchor, "kind" | "line" | "root" | "builtAtMs">;
  readonly rules: Rules;
  readonly source: ReleaseSource;
  readonly state: TrustedState;
  readonly nowMs: number;
}

/** @throws {@link ReleaseError} with the code of the first thing that is not as it must be */
export async function loadMetadata(walk: Walk): Promise<TrustedRelease> {
  const { anchor, rules, state, nowMs } = walk;
  demandClock(Math.max(anchor.builtAtMs, state.newestTimeMs), nowMs);
  await refuseDevelopment(walk);
  const { root, roles } = await newestRoot(walk);
  demandFresh("root", root.signed, nowMs, rules.maxLifeMs.root);

  const timestamp = await newestTimestamp(walk, roles);
  const issuedMs = rules.readIssueTime(timestamp.file.signed);
  demandClock(issuedMs, nowMs);
  demandFresh("timestamp", timestamp.file.signed, nowMs, rules.maxLifeMs.timestamp);
  state.write("timestamp.json", timestamp.bytes);

  const seenSnapshot = remembered(state, "snapshot");
  const { snapshotMeta } = timestamp.file.signed;
  const snapshot = await listedFile(walk, roles, "snapshot", snapshotMeta);
  const { meta } = snapshot.file.signed;
  const targetsMeta = meta["targets.json"];
  if (targetsMeta === undefined)
    throw new ReleaseError("ERR_METADATA", "snapshot does not list targets");
  rules.demandSnapshot(snapshot.file.signed);
  for (const [name, seen] of Object.entries(seenSnapshot?.signed.meta ?? {}))
    demandNotOlder(name.replace(/\.json$/, ""), meta[name]?.version ?? 0, seen.version);
  demandFresh("snapshot", snapshot.file.signed, nowMs, rules.maxLifeMs.snapshot);
  state.write("snapshot.json", snapshot.bytes);

  const seenTargets = remembered(state, "targets");
  const targets = await listedFile(walk, roles, "targets", targetsMeta);
  rules.demandTargets(targets.file.signed);
  const { version } = targets.file.signed;
  if (seenTargets !== undefined) demandNotOlder("targets", version, seenTargets.signed.version);
  demandFresh("targets", targets.file.signed, nowMs, rules.maxLifeMs.targets);
  state.write("targets.json", targets.bytes);

  state.sawTime(Math.max(nowMs, issuedMs));
  return {
    targets: targets.file.signed,
    rootVersion: root.signed.version,
    quorums: [demandQuorum(roles, "root", root), timestamp.quorum, snapshot.quorum, targets.quorum],
    freshUntil: timestamp.file.signed.expires,
  };
}

interface TrustedRoot {
  readonly root: Metadata<Root>;
  readonly roles: TrustedRoles;
}

/** Walks from the newest root that is known here to the newest that there is, one signed step at a time. */
async function newestRoot({ anchor, rules, source, state }: Walk): Promise<TrustedRoot> {
  let known = readRoot(anchor.root, anchor, rules);
  const seen = state.read("root.json");
  if (seen !== undefined) {
    const remembered = readRoot(seen, anchor, rules);
    if (remembered.root.signed.version > known.root.signed.version) known = remembered;
  }
  for (let rotations = 0; ; rotations += 1) {
    const version = known.root.signed.version + 1;
    const bytes = await source.read(`metadata/${version}.root.json`, limits.MAX_ROOT_BYTES);
    if (bytes === undefined) return known;
    if (rotations === limits.MAX_ROOT_ROTATIONS)
      throw new ReleaseError("ERR_ROOT_CHAIN", `more than ${rotations} changes of keys`);
    const next = readRoot(bytes, anchor, rules);
    demandQuorum(known.roles, "root", next.root);
    if (next.root.signed.version !== version)
      throw new ReleaseError(
        "ERR_ROLLBACK",
        `root ${version} calls itself ${next.root.signed.version}`,
      );
    const isSame = (name: RoleName) =>
      rosterText(known.roles, name) === rosterText(next.roles, name);
    if (!isSame("timestamp") || !isSame("snapshot"))
      state.forget("timestamp.json", "snapshot.json");
    state.write("root.json", bytes);
    known = next;
  }
}

function rosterText(roles: TrustedRoles, name: RoleName): string {
  const { threshold, keys } = roles.role(name);
  return JSON.stringify([threshold, keys.map(({ id, person }) => [id, person])]);
}

function readRoot(
  untrusted: Uint8Array,
  { kind, line }: Walk["anchor"],
  rules: Rules,
): TrustedRoot {
  const root = parseMetadata("root", untrusted);
  const roles = rules.readRoles(root.signed);
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
async function refuseDevelopment({ anchor, rules, source }: Walk): Promise<void> {
  if (anchor.kind !== "production") return;
  const first = await source.read("metadata/1.root.json", limits.MAX_ROOT_BYTES);
  if (first === undefined) return;
  if (rules.readRoles(parseMetadata("root", first).signed).kind === "development")
    throw new ReleaseError("ERR_DEVELOPMENT", "it is signed by throw-away keys");
}

interface Trusted<R extends RoleName> {
  readonly file: Metadata<KindOf[R]>;
  readonly bytes: Buffer;
  readonly quorum: Quorum;
}

/** The one that there is now; the one that was seen where it calls itself the same. */
async function newestTimestamp(
  { source, state }: Walk,
  roles: TrustedRoles,
): Promise<Trusted<"timestamp">> {
  const bytes = await mustRead(source, "metadata/timestamp.json", limits.MAX_TIMESTAMP_BYTES);
  const file = parseMetadata("timestamp", bytes);
  const quorum = demandQuorum(roles, "timestamp", file);
  const seen = state.read("timestamp.json");
  if (seen === undefined) return { file, bytes, quorum };
  const { signed } = parseMetadata("timestamp", seen);
  demandNotOlder("timestamp", file.signed.version, signed.version);
  demandNotOlder("snapshot", file.signed.snapshotMeta.version, signed.snapshotMeta.version);
  return file.signed.version === signed.version
    ? trusted(roles, "timestamp", seen)
    : { file, bytes, quorum };
}

/** A file that another one lists by version: what was remembered of it, or what there is. */
async function listedFile<R extends "snapshot" | "targets">(
  { rules, source, state }: Walk,
  roles: TrustedRoles,
  role: R,
  listed: MetaFile,
): Promise<Trusted<R>> {
  rules.demandListing(role, listed);
  const seen = state.read(`${role}.json`);
  if (seen !== undefined && parseMetadata(role, seen).signed.version === listed.version)
    try {
      demandListed(role, listed, seen);
      return trusted(roles, role, seen);
    } catch (error) {
      // Its keys were changed since: it is asked for again, and judged then.
      if (!(error instanceof ReleaseError)) throw error;
    }
  const path = `metadata/${listed.version}.${role}.json`;
  const bytes = await mustRead(source, path, MAX_BYTES[role]);
  demandListed(role, listed, bytes);
  const file = trusted(roles, role, bytes);
  demandVersion(role, file.file, listed);
  return file;
}

const MAX_BYTES = {
  snapshot: limits.MAX_SNAPSHOT_BYTES,
  targets: limits.MAX_TARGETS_BYTES,
} as const;

function trusted<R extends RoleName>(roles: TrustedRoles, role: R, bytes: Buffer): Trusted<R> {
  const file = parseMetadata(role, bytes);
  return { file, bytes, quorum: demandQuorum(roles, role, file) };
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

function demandNotOlder(role: string, version: number, seen: number): void {
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
