/**
 * Versions: MAJOR.MINOR.PATCH with an optional pre-release, as in Semantic Versioning 2.0.0, without build metadata.
 *
 * The one idea of a version: what the quorum signs, an admin approves and the installer names a folder by.
 *
 * @module
 */
import { MAX_VERSION_LETTERS } from "./limits.ts";
import { ReleaseError } from "./release-error.ts";

/** Numbers without leading zeros, so that a version has one spelling; letters that are safe in a file's name. */
const VERSION = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:-([0-9A-Za-z.-]+))?$/;
const NUMBER = /^\d+$/;

export function isVersion(untrusted: string): boolean {
  if (untrusted.length > MAX_VERSION_LETTERS) return false;
  const match = VERSION.exec(untrusted);
  if (match === null) return false;
  return (match[4]?.split(".") ?? []).every((part) => part !== "" && !/^0\d+$/.test(part));
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
  if (leftIsNumber !== rightIsNumber) return leftIsNumber ? -1 : 1;
  // Of two numbers the longer is larger; as digits, because they may have more than a number holds exactly.
  if (leftIsNumber && left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}

function parts(version: string): [number[], string[]] {
  const match = isVersion(version) ? VERSION.exec(version) : null;
  if (match === null)
    throw new ReleaseError("ERR_RECORD", `${JSON.stringify(version)} is no version`);
  return [match.slice(1, 4).map(Number), match[4]?.split(".") ?? []];
}
