/**
 * From an address to a node: SSH, what a server is, and its set-up.
 *
 * @module
 */
export { causes, ProvisionError, type ProvisionErrorCode } from "./provision-error.ts";
export { Access, type Ask, type Way, type Wish } from "./access.ts";
export {
  addressName,
  nodeNameOf,
  parsePlace,
  parseTarget,
  type Address,
  type Target,
} from "./ssh/address.ts";
export { parseFingerprint, type HostKey } from "./ssh/host-key.ts";
export { KnownHosts } from "./ssh/known-hosts.ts";
export { SshConnection, type OpenOptions } from "./ssh/connection.ts";
export { RootShell, type Privilege } from "./ssh/root-shell.ts";
export { MAX_PRIVATE_KEY_BYTES } from "./ssh/sign-in.ts";
export { isFit, type Check, type Finding, type Verdict } from "./preflight/findings.ts";
export { preflight, type Preflight } from "./preflight/preflight.ts";
export type { BundleFile } from "./bundle-file.ts";
export { chooseRelease, type ReleaseChoice } from "./choose-release.ts";
export type { JournalEvent } from "./journal.ts";
export { listRemovals, removeSetUpFolder, stopRun } from "./remote-run.ts";
export {
  reach,
  setUp,
  takeAway,
  type NodeOptions,
  type SetUpEvent,
  type SetUpNode,
  type SetUpOptions,
} from "./set-up.ts";
export {
  resetIdentity,
  rollBack,
  rotateKey,
  update,
  type KnownNodeOptions,
  type RotateOptions,
  type UpdateOptions,
} from "./operations.ts";
export {
  changes,
  chosenSteps,
  operations,
  stepNames,
  type Choices,
  type StepName,
} from "./step-names.ts";
