/**
 * The lists of parts that a release must bring: the signed bytes, and lists of this release.
 *
 * @module
 */
import { z } from "zod";
import { ReleaseError } from "./release-error.ts";

const Named = z.looseObject({ name: z.string().min(1) });
const CycloneDx = z.looseObject({
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.string().regex(/^1\.\d$/),
  components: z.array(Named).min(1),
});
const Spdx = z.looseObject({
  spdxVersion: z.string().regex(/^SPDX-2\.\d$/),
  packages: z.array(Named).min(1),
});

/**
 * @returns how many parts it lists
 * @throws {@link ReleaseError} `ERR_SBOM` for what is no list of parts
 */
export function countParts(format: "cyclonedx" | "spdx", untrusted: Uint8Array): number {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(untrusted).toString("utf8"));
  } catch {
    throw new ReleaseError("ERR_SBOM", `the ${format} list is no JSON`);
  }
  const parts =
    format === "cyclonedx"
      ? CycloneDx.safeParse(json).data?.components
      : Spdx.safeParse(json).data?.packages;
  if (parts === undefined) throw new ReleaseError("ERR_SBOM", `this is no ${format} list of parts`);
  return parts.length;
}
