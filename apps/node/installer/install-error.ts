/**
 * Why an update was not made, as a code that tells a person what to do. The old release runs on in every case.
 *
 * @module
 */

const ADVICE = {
  /** Nothing here was believed. */
  ERR_ARGUMENTS: "the command line is incomplete: see the usage",
  ERR_BUSY: "another run of the installer is under way: start it again when that one has ended",
  ERR_APPROVAL: "no admin device of this node approved this bundle: sign an approval for it",
  ERR_APPROVAL_LATE: "the approval's deadline is over: sign a new one",
  ERR_APPROVAL_USED: "this approval, or a later one, was used before: sign a new one",
  ERR_POLICY:
    "no policy of an admin of this node lets it be installed: approve it, or sign a policy",
  ERR_RELEASE_REFUSED:
    "the release was refused: see the verifier's reason, and get it from its source again",
  ERR_OTHER_BUNDLE: "approval, release and bundle do not name the same thing: get all three again",
  ERR_OLDER: "a node does not go back: this release is not newer than the one that runs",
  ERR_PLATFORM: "the bundle is for another processor",
  ERR_TAR: "the bundle is no release of ours, or damaged: get it again",
  ERR_MANIFEST: "the bundle has no usable list of its files: get it again",
  ERR_TREE: "a file is not what the manifest says",
  ERR_STATE: "what the installer remembers is damaged: look at it before you remove it",
  ERR_NOT_ROOT_OWNED: "a file that only root may have written belongs to somebody else",
  ERR_FIRST: "this node has a release already, or none yet: see the usage",
  ERR_NOT_KEPT: "that release is not kept here: update to another one",
  ERR_SELF_TEST: "the new release failed its self-test; the old one runs",
  ERR_ROLLED_BACK: "the new release failed once it ran; the old one runs again",
  ERR_NOTHING_RUNS: "neither release passes its test: look at the node's journal",
} as const;

export type InstallErrorCode = keyof typeof ADVICE;

export class InstallError extends Error {
  override readonly name = "InstallError";
  readonly code: InstallErrorCode;

  /** @param about a path in a release or a short reason of ours, never content */
  constructor(code: InstallErrorCode, options: ErrorOptions & { readonly about?: string } = {}) {
    const { about, ...rest } = options;
    super(`${ADVICE[code]}${about === undefined ? "" : ` (${about})`}`, rest);
    this.code = code;
  }
}
