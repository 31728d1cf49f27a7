/**
 * What the name of a node's bundle says: `phantoma-node-VERSION-linux-ARCH.tar.gz`.
 *
 * @module
 */
import { isVersion } from "./version.ts";

export interface BundleName {
  readonly version: string;
  readonly arch: string;
}

const NAME = /^phantoma-node-([0-9A-Za-z.-]{5,32})-linux-(x64|arm64)\.tar\.gz$/;

/** @returns `undefined` for the name of anything else */
export function readBundleName(untrusted: string): BundleName | undefined {
  const [, version, arch] = NAME.exec(untrusted) ?? [];
  return version && arch && isVersion(version) ? { version, arch } : undefined;
}
