/**
 * Which release to install, as it is named on the command line; and who signed it, said aloud.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chooseRelease, ProvisionError, type BundleFile } from "@phantoma/provision";
import { releaseDirOf } from "@phantoma/release";
import type { ReleaseValues } from "../commands/verify-release.ts";
import type { Home } from "../home.ts";
import { notice, UsageError } from "../output.ts";

export interface BundleValues extends ReleaseValues {
  readonly bundle?: string | undefined;
  readonly unsigned: boolean;
}

/** A release as it is sent to a node that verifies it once more. */
export interface SignedBundle extends BundleFile {
  readonly version: string;
  /** By their place in the release's folder. */
  readonly signed: ReadonlyMap<string, Uint8Array>;
}

/** @throws ProvisionError `ERR_BUNDLE`, `ERR_BUNDLE_REFUSED` with the verifier's reason */
export async function chooseUpdate(
  home: Home,
  values: Omit<BundleValues, "unsigned">,
): Promise<SignedBundle> {
  const { bundle, version } = await chosen(home, { ...values, unsigned: false });
  if (version === undefined) throw new ProvisionError("ERR_BUNDLE_REFUSED");
  return { ...bundle, version, signed: signedLists(values.release ?? releaseDirOf(bundle.path)) };
}

/** All that is published but the bundles themselves. */
function signedLists(dir: string): ReadonlyMap<string, Uint8Array> {
  const files = ["metadata", "targets"].flatMap((folder) =>
    (existsSync(join(dir, folder)) ? readdirSync(join(dir, folder)) : [])
      .filter((name) => SIGNED_NAME.test(name) && !name.endsWith(".tar.gz"))
      .map((name) => `${folder}/${name}`),
  );
  return new Map(files.map((name) => [name, readFileSync(join(dir, name))]));
}

/** A name that means itself in a shell. */
const SIGNED_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/;

/** @throws ProvisionError `ERR_BUNDLE`, `ERR_BUNDLE_REFUSED` */
export async function chooseBundle(home: Home, values: BundleValues): Promise<BundleFile> {
  const { bundle } = await chosen(home, values);
  return bundle;
}

async function chosen(home: Home, values: BundleValues) {
  const { bundle: filePath, unsigned: isUnsigned, release, anchor } = values;
  if (filePath === undefined) throw new ProvisionError("ERR_BUNDLE");
  if (isUnsigned && (release !== undefined || anchor !== undefined))
    throw new UsageError("--unsigned goes with neither --release nor --anchor");
  if (isUnsigned)
    notice("phantoma: nobody signed this bundle: it is installed because you made it yourself");
  const found = await chooseRelease({
    filePath,
    releaseDir: release,
    anchorPath: anchor,
    stateDir: home.releasesDir,
    isUnsigned,
  });
  if (found.report !== undefined) notice(found.report);
  return found;
}
