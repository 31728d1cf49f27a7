/**
 * From an address to a node: SSH, what a server is, and its set-up.
 *
 * @module
 */
export { ProvisionError, type ProvisionErrorCode } from "./provision-error.ts";
export { addressName, parseTarget, type Address, type Target } from "./ssh/address.ts";
export { parseFingerprint, type HostKey } from "./ssh/host-key.ts";
export { SshConnection, type OpenOptions } from "./ssh/connection.ts";
export { RootShell, type Privilege } from "./ssh/root-shell.ts";
export { openPrivateKey, type Answer, type Question, type SignIn } from "./ssh/sign-in.ts";
export { isFit, type Check, type Finding, type Verdict } from "./preflight/findings.ts";
export { preflight, type Preflight } from "./preflight/preflight.ts";
export type { BundleFile } from "./bundle-file.ts";
export type { JournalEvent } from "./journal.ts";
export { listRemovals } from "./remote-run.ts";
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
  update,
  type KnownNodeOptions,
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
