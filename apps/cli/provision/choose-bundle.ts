/**
 * Which release to install, as it is named on the command line; and who signed it, said aloud.
 *
 * @module
 */
import { chooseRelease, ProvisionError, type BundleFile } from "@phantoma/provision";
import type { ReleaseValues } from "../commands/verify-release.ts";
import type { Home } from "../home.ts";
import { notice, UsageError } from "../output.ts";

export interface BundleValues extends ReleaseValues {
  readonly bundle?: string | undefined;
  readonly unsigned: boolean;
}

/** @throws ProvisionError `ERR_BUNDLE`, `ERR_BUNDLE_REFUSED` */
export async function chooseBundle(home: Home, values: BundleValues): Promise<BundleFile> {
  const { bundle: filePath, unsigned: isUnsigned, release, anchor } = values;
  if (filePath === undefined) throw new ProvisionError("ERR_BUNDLE");
  if (isUnsigned && (release !== undefined || anchor !== undefined))
    throw new UsageError("--unsigned goes with neither --release nor --anchor");
  if (isUnsigned)
    notice("phantoma: nobody signed this bundle: it is installed because you made it yourself");
  const { bundle, report } = await chooseRelease({
    filePath,
    releaseDir: release,
    anchorPath: anchor,
    stateDir: home.releasesDir,
    isUnsigned,
  });
  if (report) notice(report);
  return bundle;
}
