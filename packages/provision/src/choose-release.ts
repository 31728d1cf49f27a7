/**
 * Which release to install: one with its quorum, or a bundle of one's own, which nobody signed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import {
  readRequest,
  ReleaseError,
  reportText,
  verifyRelease,
  type ReleasePaths,
} from "@phantoma/release";
import type { BundleFile } from "./bundle-file.ts";
import { ProvisionError } from "./provision-error.ts";

export interface ReleaseChoice extends ReleasePaths {
  /** Whoever made it says so: nothing is verified. */
  readonly isUnsigned: boolean;
}

/**
 * @returns the bundle, and what the verifier says of it: who signed it, and how many had to
 * @throws {@link ProvisionError} `ERR_BUNDLE`, `ERR_BUNDLE_REFUSED` with the verifier's reason
 */
export async function chooseRelease(choice: ReleaseChoice): Promise<{
  readonly bundle: BundleFile;
  readonly report?: string;
  readonly version?: string;
}> {
  const { filePath: path, isUnsigned } = choice;
  if (isUnsigned) return { bundle: await hashed(path) };
  try {
    const report = await verifyRelease(await readRequest(choice));
    const { sha256, length, version } = report.record;
    return { bundle: { path, sha256, size: length }, report: reportText(report), version };
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    throw new ProvisionError("ERR_BUNDLE_REFUSED", {
      about: `${error.message} (${error.code}); ${error.action}`,
      cause: error,
    });
  }
}

async function hashed(path: string): Promise<BundleFile> {
  const hash = createHash("sha256");
  try {
    for await (const part of createReadStream(path)) hash.update(part as Buffer);
    return { path, size: statSync(path).size, sha256: hash.digest("hex") };
  } catch (cause) {
    throw new ProvisionError("ERR_BUNDLE", { about: `${path} cannot be read`, cause });
  }
}
