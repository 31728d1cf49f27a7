/**
 * One metadata file, parsed: TUF's fields by `@tufjs/models`, and what that leaves open closed here.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  Metadata,
  MetadataKind,
  type MetaFile,
  Root,
  Snapshot,
  Targets,
  Timestamp,
} from "@tufjs/models";
import { CLOCK_SKEW_MS } from "./limits.ts";
import { ReleaseError } from "./release-error.ts";
import type { RoleName } from "./root-rules.ts";

export interface KindOf {
  root: Root;
  targets: Targets;
  snapshot: Snapshot;
  timestamp: Timestamp;
}

/** TUF's own form of a time; one spelling. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** @throws {@link ReleaseError} `ERR_METADATA` for anything that is not this role's file in full */
export function parseMetadata<R extends RoleName>(
  role: R,
  untrusted: Uint8Array,
): Metadata<KindOf[R]> {
  let file: Metadata<KindOf[R]>;
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(untrusted));
    file = Metadata.fromJSON(kinds[role] as never, json as never) as unknown as Metadata<KindOf[R]>;
  } catch {
    // Without the parser's words: they quote what may be another file's content.
    throw new ReleaseError("ERR_METADATA", `${role} is malformed`);
  }
  const { version, expires } = file.signed;
  if (!Number.isSafeInteger(version) || version < 1)
    throw new ReleaseError("ERR_METADATA", `${role} has no version`);
  if (!TIME.test(expires)) throw new ReleaseError("ERR_METADATA", `${role} has no time of expiry`);
  return file;
}

const kinds = {
  root: MetadataKind.Root,
  targets: MetadataKind.Targets,
  snapshot: MetadataKind.Snapshot,
  timestamp: MetadataKind.Timestamp,
} as const;

/**
 * Judges an expiry against the clock: past is refused, and so is further ahead than anybody may vouch.
 *
 * @throws {@link ReleaseError} `ERR_EXPIRED`
 */
export function demandFresh(
  role: RoleName,
  { expires }: { readonly expires: string },
  nowMs: number,
  maxLifeMs: number,
): void {
  const expiresMs = Date.parse(expires);
  if (!(nowMs < expiresMs))
    throw new ReleaseError("ERR_EXPIRED", `${role} was good until ${expires}`);
  if (expiresMs - nowMs > maxLifeMs + CLOCK_SKEW_MS)
    throw new ReleaseError("ERR_EXPIRED", `${role} vouches for itself too long, until ${expires}`);
}

/** @throws {@link ReleaseError} `ERR_MISMATCH` when `bytes` are not the ones that were listed */
export function demandListed(name: string, { length, hashes }: MetaFile, bytes: Uint8Array): void {
  const isListed =
    (length === undefined || bytes.length === length) &&
    Object.entries(hashes ?? {}).every(
      ([algorithm, digest]) => algorithm === "sha256" && sha256(bytes) === digest,
    );
  if (!isListed) throw new ReleaseError("ERR_MISMATCH", `${name} is not the one that was listed`);
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
