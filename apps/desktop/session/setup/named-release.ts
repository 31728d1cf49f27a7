/**
 * What a server is set up with: named where the console was started, or by a person in the shell's own dialog; never by
 * the page. Signatures and who may sign are the start's word, and go with the file that was named with them.
 *
 * @module
 */
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { chooseRelease, ProvisionError } from "@phantoma/provision";

/** Empty: beside the file, and who this console trusts. */
export interface NamedRelease {
  readonly bundle: string;
  readonly releaseDir: string;
  readonly anchor: string;
  /** Nobody signed it, and whoever started the console says so. */
  readonly isUnsigned: boolean;
}

export const noRelease: NamedRelease = {
  bundle: "",
  releaseDir: "",
  anchor: "",
  isUnsigned: false,
};

/** What was said at the start of another file does not count for this one. */
export function namedBy(started: NamedRelease, bundle: string): NamedRelease {
  return bundle === started.bundle ? started : { ...noRelease, bundle };
}

/** @throws ProvisionError `ERR_BUNDLE`, `ERR_BUNDLE_REFUSED` */
export async function verifiedRelease(
  { bundle: filePath, releaseDir, anchor, isUnsigned }: NamedRelease,
  stateDir: string,
) {
  if (filePath === "") throw new ProvisionError("ERR_BUNDLE");
  if (!BUNDLE_NAME.test(basename(filePath)) || !(await isGzip(filePath)))
    throw new ProvisionError("ERR_BUNDLE", { about: "it is no phantoma-node-….tar.gz" });
  return chooseRelease({
    filePath,
    releaseDir: releaseDir || undefined,
    anchorPath: anchor || undefined,
    stateDir,
    isUnsigned,
  });
}

const BUNDLE_NAME = /^phantoma-node-[A-Za-z0-9._+-]{1,200}\.tar\.gz$/;
/** What every file of gzip begins with. */
const GZIP = Buffer.from([0x1f, 0x8b]);

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path).catch((cause: unknown) => {
    throw new ProvisionError("ERR_BUNDLE", { about: `${path} cannot be read`, cause });
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(GZIP.length), 0, GZIP.length, 0);
    return buffer.subarray(0, bytesRead).equals(GZIP);
  } finally {
    await file.close();
  }
}
