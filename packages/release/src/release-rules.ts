/**
 * What a release's metadata must be beyond what TUF prescribes: the rules that every build verifies by.
 *
 * They stand apart from the walk over the files, so that TUF's conformance suite, whose repositories are TUF's and
 * nothing more, can be walked over by the same code. No build can be given others: `verifyRelease` takes none.
 *
 * @module
 */
import type { MetaFile, Root, Snapshot, Targets, Timestamp } from "@tufjs/models";
import { MAX_LIFE_MS } from "./limits.ts";
import { ReleaseError } from "./release-error.ts";
import { OWN_FIELDS, readRoles, type RoleName, type TrustedRoles } from "./root-rules.ts";

export interface Rules {
  /** The longest that each role may vouch ahead, in milliseconds. */
  readonly maxLifeMs: Readonly<Record<RoleName, number>>;
  readRoles(root: Root): TrustedRoles;
  /** When it was made, in milliseconds since 1970. */
  readIssueTime(timestamp: Timestamp): number;
  demandListing(role: RoleName, listed: MetaFile): void;
  demandSnapshot(snapshot: Snapshot): void;
  demandTargets(targets: Targets): void;
}

export const releaseRules: Rules = {
  maxLifeMs: MAX_LIFE_MS,
  readRoles,
  readIssueTime({ unrecognizedFields }) {
    const { issued } = (unrecognizedFields[OWN_FIELDS] ?? {}) as { issued?: unknown };
    const issuedMs = typeof issued === "string" ? Date.parse(issued) : Number.NaN;
    if (Number.isNaN(issuedMs))
      throw new ReleaseError("ERR_METADATA", "timestamp does not say when");
    return issuedMs;
  },
  demandListing(role, { length, hashes }) {
    if (length === undefined || hashes?.["sha256"] === undefined)
      throw new ReleaseError("ERR_METADATA", `${role} is listed without its size or digest`);
  },
  demandSnapshot({ meta }) {
    if (Object.keys(meta).length !== 1)
      throw new ReleaseError("ERR_METADATA", "snapshot lists something else than targets");
  },
  demandTargets({ delegations }) {
    if (delegations !== undefined)
      throw new ReleaseError("ERR_METADATA", "targets lets others sign in its place");
  },
};
