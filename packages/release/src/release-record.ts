/**
 * What the quorum says about one file beside its digest: `custom` of its TUF target.
 *
 * @module
 */
import type { Targets } from "@tufjs/models";
import { z } from "zod";
import {
  MAX_ARTIFACT_BYTES,
  MAX_PROVENANCE_BYTES,
  MAX_PROVENANCES,
  MAX_SBOM_BYTES,
} from "./limits.ts";
import { ReleaseError } from "./release-error.ts";
import { isVersion } from "./version.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** A name that is one folder entry everywhere. */
const FileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
const Version = z.string().refine(isVersion);
const attachment = (maxBytes: number) =>
  z.strictObject({ name: FileName, length: z.int().min(1).max(maxBytes), sha256: Sha256 });

const Custom = z.strictObject({
  product: z.literal("phantoma-node"),
  version: Version,
  platform: z.enum(["linux"]),
  arch: z.enum(["x64", "arm64"]),
  /** The oldest version that may be updated to this one without a step between. */
  minFrom: Version,
  /** How many builds gave these bytes before anybody signed. */
  builds: z.int().min(1).max(64),
  sbom: z.strictObject({ cyclonedx: attachment(MAX_SBOM_BYTES), spdx: attachment(MAX_SBOM_BYTES) }),
  provenance: z.array(attachment(MAX_PROVENANCE_BYTES)).min(1).max(MAX_PROVENANCES),
});

export type Attachment = z.infer<ReturnType<typeof attachment>>;
export type ReleaseCustom = z.infer<typeof Custom>;
export type ReleaseRecord = ReleaseCustom & {
  readonly name: string;
  readonly length: number;
  readonly sha256: string;
};

/** Where attachments and artifacts lie in a release. */
export function targetPath({
  name,
  sha256,
}: {
  readonly name: string;
  readonly sha256: string;
}): string {
  return `targets/${sha256}.${name}`;
}

/** @throws {@link ReleaseError} `ERR_UNKNOWN_TARGET`, `ERR_RECORD`, `ERR_TOO_LARGE` */
export function readRecord(targets: Targets, name: string): ReleaseRecord {
  const { length, sha256, custom } = readTarget(targets, name, MAX_ARTIFACT_BYTES);
  const parsed = Custom.safeParse(custom);
  if (!parsed.success) {
    const places = parsed.error.issues.map(({ path }) => path.join(".")).join(", ");
    throw new ReleaseError("ERR_RECORD", `what is signed about ${name} is not in order: ${places}`);
  }
  return { ...parsed.data, name, length, sha256 };
}

/** @throws {@link ReleaseError} `ERR_UNKNOWN_TARGET`, `ERR_RECORD`, `ERR_TOO_LARGE` */
export function readTarget(targets: Targets, name: string, maxBytes: number) {
  const target = Object.hasOwn(targets.targets, name) ? targets.targets[name] : undefined;
  if (target === undefined)
    throw new ReleaseError("ERR_UNKNOWN_TARGET", `nobody signed a file ${name}`);
  const { length, hashes, custom } = target;
  const sha256 = Sha256.safeParse(hashes["sha256"]);
  if (!sha256.success || !Number.isSafeInteger(length) || length < 1)
    throw new ReleaseError("ERR_RECORD", `${name} is signed without its size or digest`);
  if (length > maxBytes)
    throw new ReleaseError(
      "ERR_TOO_LARGE",
      `${name} is signed with ${length} bytes, more than ${maxBytes}`,
    );
  return { name, length, sha256: sha256.data, custom };
}
