/**
 * What a build trusts from its first second: the first root, who may have built a release, and the build's own time.
 *
 * A build has one anchor inside and no other can be given to it, but to a build without one (from source).
 *
 * @module
 */
import { z } from "zod";
import { builtInAnchor } from "./built-in-anchor.ts";
import { parseMetadata } from "./metadata-file.ts";
import { demandQuorum } from "./quorum.ts";
import { ReleaseError } from "./release-error.ts";
import { readRoles, type ReleaseKind } from "./root-rules.ts";

/** Who may have built a release, exactly: none of these is a pattern. */
export interface ProvenancePolicy {
  /** Who vouched for the build machine's identity, as an https address. */
  readonly issuer: string;
  /** Where the source is, as an https address. */
  readonly repository: string;
  /** The workflow's file in it; it must have run for the tag `v` + version. */
  readonly workflow: string;
}

export interface Anchor {
  readonly kind: ReleaseKind;
  /** Which line of releases: no other root may be put in its place. */
  readonly line: string;
  readonly root: Buffer;
  readonly provenance: ProvenancePolicy;
  /** When this build was made: no honest clock is before it, in milliseconds since 1970. */
  readonly builtAtMs: number;
}

const AnchorFile = z.strictObject({
  kind: z.enum(["production", "development"]),
  builtAt: z.iso.datetime(),
  provenance: z.strictObject({
    issuer: z.string().startsWith("https://"),
    repository: z.string().startsWith("https://"),
    workflow: z.string().min(1),
  }),
  root: z.record(z.string(), z.unknown()),
});

/**
 * @throws {@link ReleaseError} `ERR_ANCHOR`; `ERR_DEVELOPMENT` when its root is of another kind; what
 *   {@link readRoles} throws
 */
export function parseAnchor(untrusted: unknown): Anchor {
  const file = AnchorFile.safeParse(untrusted);
  if (!file.success) throw new ReleaseError("ERR_ANCHOR", "this is no anchor");
  const { kind, builtAt, provenance, root: json } = file.data;
  const root = Buffer.from(JSON.stringify(json), "utf8");
  const parsed = parseMetadata("root", root);
  const roles = readRoles(parsed.signed);
  if (roles.kind !== kind)
    throw new ReleaseError(
      "ERR_DEVELOPMENT",
      `the root is for ${roles.kind}, the build for ${kind}`,
    );
  demandQuorum(roles, "root", parsed);
  return { kind, line: roles.line, root, provenance, builtAtMs: Date.parse(builtAt) };
}

/**
 * The anchor to verify with: the build's own; one that was given only where the build has none.
 *
 * @throws {@link ReleaseError} `ERR_ANCHOR`, `ERR_DEVELOPMENT`
 */
export function chooseAnchor(given: unknown, own: unknown = builtInAnchor): Anchor {
  if (own === null) {
    if (given === undefined)
      throw new ReleaseError("ERR_ANCHOR", "this build has no release keys in it");
    return parseAnchor(given);
  }
  const anchor = parseAnchor(own);
  if (given === undefined) return anchor;
  const other = parseAnchor(given);
  if (other.kind === "development" && anchor.kind === "production")
    throw new ReleaseError("ERR_DEVELOPMENT", "a build for everybody takes no development keys");
  throw new ReleaseError("ERR_ANCHOR", "this build has release keys and takes no others");
}
