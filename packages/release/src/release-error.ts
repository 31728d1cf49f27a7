/**
 * Every reason to refuse a release, as a code with one thing to do about it.
 *
 * @module
 */

/** What was found, and what a person should do about it. */
export const advice = {
  /** This build knows no release keys, or what was given as such is not. */
  ERR_ANCHOR: "use a build of a release, or name an anchor file from a source that you trust",
  /** A build for everybody met a release that was signed by throw-away keys. */
  ERR_DEVELOPMENT: "do not install it; fetch a release that the engineers signed",
  /** Something that a release must have is not there. */
  ERR_MISSING: "fetch the whole release again",
  ERR_TOO_LARGE: "do not install it; fetch the release again from another place",
  ERR_METADATA: "do not install it; fetch the release again from another place",
  /** A key's name is not the digest of the key. */
  ERR_KEY_ID: "do not install it, and report it: the keys were tampered with",
  /** One public key or one person stands for several. */
  ERR_KEY_TWICE: "do not install it, and report it: one person would count as several",
  /** The keys or numbers of signatures are fewer than this build was made to demand. */
  ERR_TOO_FEW_KEYS: "do not install it, and report it: the quorum was lowered",
  /** Too few people signed. */
  ERR_QUORUM: "do not install it; ask the maintainers who signed it",
  /** Older than what this machine has seen before. */
  ERR_ROLLBACK: "do not install it; fetch the newest metadata",
  /** Nobody has vouched for it lately, or for longer than anybody may. */
  ERR_EXPIRED: "fetch the newest metadata; if it persists, updates are being withheld",
  /** Parts of different releases were put together. */
  ERR_MISMATCH: "fetch the whole release again",
  ERR_ROOT_CHAIN: "install a newer build by hand: this one is too many key changes behind",
  /** The clock is before a time that was already seen. */
  ERR_CLOCK: "set this machine's clock",
  ERR_UNKNOWN_TARGET: "check the file's name; the signed list has no such file",
  /** The file is not the one that was signed. */
  ERR_DIGEST: "do not install it; fetch the file again",
  /** The signed description of the file is not one that this build understands. */
  ERR_RECORD: "update this program, or ask the maintainers",
  /** It is not said who may have built it. */
  ERR_POLICY: "use an anchor that names issuer, repository and workflow",
  /** Nobody shows where it was built. */
  ERR_PROVENANCE: "do not install it; ask the maintainers where it was built",
  ERR_PROVENANCE_SUBJECT: "do not install it: its proof of origin is another file's",
  ERR_PROVENANCE_IDENTITY: "do not install it: somebody else built it",
  /** What the quorum listed as keys of licences is not there, or no such list. */
  ERR_LICENCE_KEYS: "do not install it; fetch the whole release again",
  ERR_SBOM: "do not install it; fetch the list of its parts again",
  /** Older than what is installed. */
  ERR_DOWNGRADE: "keep what is installed",
  /** What is installed is too old to be updated to it directly. */
  ERR_VERSION_FLOOR: "install the version that it names first",
  /** What this machine remembers of earlier releases cannot be read or written. */
  ERR_STATE: "check the folder's rights; removing it forgets what was seen before",
} as const satisfies Record<string, string>;

export type ReleaseErrorCode = keyof typeof advice;

/** Something that was looked at and found good. */
export interface Check {
  readonly name: string;
  readonly detail: string;
}

export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
  readonly code: ReleaseErrorCode;
  /** What had been found good before. */
  passed: readonly Check[] = [];

  constructor(code: ReleaseErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** The one thing to do about it. */
  get action(): string {
    return advice[this.code];
  }
}
