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
export type { Answer, Question, SignIn } from "./ssh/sign-in.ts";
export { isFit, type Check, type Finding, type Verdict } from "./preflight/findings.ts";
export { preflight, type Preflight } from "./preflight/preflight.ts";
