/**
 * Which release to install: one with its quorum, or a bundle of one's own, which is said aloud.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import type { BundleFile } from "@phantoma/provision";
import { ProvisionError } from "@phantoma/provision";
import { ReleaseError, reportText, verifyRelease } from "@phantoma/release";
import { releaseRequest, type ReleaseValues } from "../commands/verify-release.ts";
import type { Home } from "../home.ts";
import { notice, UsageError } from "../output.ts";

export interface BundleValues extends ReleaseValues {
  readonly bundle?: string | undefined;
  readonly unsigned: boolean;
}

/** @throws ProvisionError `ERR_BUNDLE`, `ERR_BUNDLE_REFUSED` with the verifier's reason */
export async function chooseBundle(home: Home, values: BundleValues): Promise<BundleFile> {
  const { bundle: path, unsigned } = values;
  if (path === undefined) throw new ProvisionError("ERR_BUNDLE");
  if (unsigned) {
    if (values.release !== undefined || values.anchor !== undefined)
      throw new UsageError("--unsigned goes with neither --release nor --anchor");
    notice("phantoma: nobody signed this bundle: it is installed because you made it yourself");
    return hashed(path);
  }
  try {
    const report = await verifyRelease(await releaseRequest(home, path, values));
    notice(reportText(report));
    const { sha256, length } = report.record;
    return { path, sha256, size: length };
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
