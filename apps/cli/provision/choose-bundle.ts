/**
 * Which release to install: one with its quorum, or a bundle of one's own, which is said aloud.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { BundleFile } from "@phantoma/provision";
import { ProvisionError } from "@phantoma/provision";
import { ReleaseError, reportText, verifyRelease, type ReleaseReport } from "@phantoma/release";
import { releaseDirOf, releaseRequest, type ReleaseValues } from "../commands/verify-release.ts";
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
  const { bundle: path } = values;
  if (path === undefined) throw new ProvisionError("ERR_BUNDLE");
  const { sha256, length, version } = await verified(home, path, values);
  return {
    path,
    sha256,
    size: length,
    version,
    signed: signedLists(values.release ?? releaseDirOf(path)),
  };
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
  const { sha256, length } = await verified(home, path, values);
  return { path, sha256, size: length };
}

async function verified(
  home: Home,
  path: string,
  values: ReleaseValues,
): Promise<ReleaseReport["record"]> {
  try {
    const report = await verifyRelease(await releaseRequest(home, path, values));
    notice(reportText(report));
    return report.record;
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
