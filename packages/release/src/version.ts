/**
 * Versions: MAJOR.MINOR.PATCH with an optional pre-release, as in Semantic Versioning 2.0.0, without build metadata.
 *
 * @module
 */
import { ReleaseError } from "./release-error.ts";

/** Numbers without leading zeros, so that a version has one spelling. */
const VERSION = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:-([0-9A-Za-z.-]{1,64}))?$/;
const NUMBER = /^\d+$/;

export function isVersion(untrusted: string): boolean {
  const preRelease = VERSION.exec(untrusted)?.[4];
  if (!VERSION.test(untrusted)) return false;
  return (preRelease?.split(".") ?? []).every((part) => part !== "" && !/^0\d+$/.test(part));
}

/**
 * Negative when `left` is the older one; Semantic Versioning 2.0.0, section 11.
 *
 * @throws {@link ReleaseError} `ERR_RECORD` for what is no version
 */
export function compareVersions(left: string, right: string): number {
  const [leftNumbers, leftPre] = parts(left);
  const [rightNumbers, rightPre] = parts(right);
  for (const [index, number] of leftNumbers.entries())
    if (number !== rightNumbers[index]) return number - rightNumbers[index]!;
  if (leftPre.length === 0 || rightPre.length === 0) return rightPre.length - leftPre.length;
  for (let index = 0; index < Math.max(leftPre.length, rightPre.length); index += 1) {
    const order = comparePreRelease(leftPre[index], rightPre[index]);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePreRelease(left: string | undefined, right: string | undefined): number {
  if (left === undefined || right === undefined)
    return left === right ? 0 : left === undefined ? -1 : 1;
  const [leftIsNumber, rightIsNumber] = [NUMBER.test(left), NUMBER.test(right)];
  if (leftIsNumber && rightIsNumber) return Number(left) - Number(right);
  if (leftIsNumber !== rightIsNumber) return leftIsNumber ? -1 : 1;
  return left < right ? -1 : left > right ? 1 : 0;
}

function parts(version: string): [number[], string[]] {
  const match = VERSION.exec(version);
  if (match === null || !isVersion(version))
    throw new ReleaseError("ERR_RECORD", `${JSON.stringify(version)} is no version`);
  return [match.slice(1, 4).map(Number), match[4]?.split(".") ?? []];
}
