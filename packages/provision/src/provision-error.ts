/**
 * Every failure of setting a server up, as a code with its cause and exactly one thing to do about it.
 *
 * What a server says is never part of it: its words are untrusted, and may hold what was typed.
 *
 * @module
 */

/** Why, and what a person should do. */
export const causes = {
  ERR_SSH_ADDRESS: ["this is no address of a server", "write it as user@host or user@host:port"],
  ERR_SSH_UNREACHABLE: [
    "nothing answers at this address and port",
    "check the address, and that the server runs",
  ],
  ERR_SSH_TIMEOUT: [
    "the server took too long to answer",
    "try again; if it persists, look at the server in its provider's console",
  ],
  ERR_SSH_ALGORITHMS: [
    "the server offers no algorithm that is still safe",
    "update the SSH server on it",
  ],
  ERR_SSH_PROTOCOL: [
    "what answers does not keep to the SSH protocol",
    "check that address and port are those of an SSH server",
  ],
  ERR_HOST_KEY_UNKNOWN: [
    "this server's key has not been confirmed yet",
    "compare the fingerprint with the one in your provider's console",
  ],
  ERR_HOST_KEY_CHANGED: [
    "the server shows another key than the one that was confirmed",
    "do not continue before your provider says that it was installed anew; then --forget-host-key",
  ],
  ERR_HOST_KEY_TEXT: [
    "this is no SHA-256 fingerprint of a host key",
    "paste the line that begins with SHA256:",
  ],
  ERR_SSH_SIGN_IN: ["the server refused the sign-in", "check the user, and its password or key"],
  ERR_SSH_METHOD: [
    "the server does not accept this way of signing in",
    "choose another way, a key or a password",
  ],
  ERR_SSH_MORE_PROOF: [
    "the server wants a further proof that nobody is here to give",
    "run this in a terminal, where its question can be answered",
  ],
  ERR_SSH_AGENT: [
    "no SSH agent answers on this machine",
    "start one and add the key, or name a key file",
  ],
  ERR_KEY_FORMAT: [
    "this file is no private key that can be used here",
    "choose a private key in OpenSSH's or PEM form",
  ],
  ERR_KEY_PASSPHRASE_WANTED: ["the key is protected by a passphrase", "give its passphrase"],
  ERR_KEY_PASSPHRASE: ["the passphrase does not open the key", "type the key's passphrase again"],
  ERR_SSH_CHANNEL: [
    "the server refused to run a command",
    "see whether its SSH settings force a command or forbid sessions",
  ],
  ERR_SSH_DROPPED: [
    "the connection to the server was lost",
    "run it again: what was begun there goes on, and is picked up",
  ],
  ERR_SSH_OUTPUT: [
    "the server sent far more than was asked for",
    "look at the server yourself before you continue",
  ],
  ERR_SUDO_NONE: [
    "this user is not root, and there is no sudo",
    "sign in as root, or install sudo and allow this user to use it",
  ],
  ERR_SUDO_NOT_ALLOWED: [
    "this user may not become root by sudo",
    "sign in as root, or as a user that sudo allows",
  ],
  ERR_SUDO_PASSWORD_WANTED: ["sudo asks for this user's password", "give the user's password"],
  ERR_SUDO_PASSWORD: ["sudo refused the password", "type the password of the user that signs in"],
  ERR_SUDO_POLICY: [
    "sudo's settings forbid commands without a terminal",
    "remove requiretty for this user from sudo's settings, or sign in as root",
  ],
  ERR_FACTS: [
    "what the server says about itself was not understood",
    "see whether its login shell prints something of its own, and silence that",
  ],
  ERR_HOST_UNFIT: [
    "this server cannot be a node as it is",
    "see the facts marked stop, each with what to do",
  ],
  ERR_HOST_BUSY: [
    "another set-up runs on this server",
    "wait until it has ended, and run it again",
  ],
  ERR_BUNDLE: ["there is no release to install", "name one with --bundle"],
  ERR_BUNDLE_REFUSED: ["the release was refused", "get it from its source again"],
  ERR_BUNDLE_DAMAGED: [
    "the release that arrived on the server is not the one that was sent",
    "run it again; if it persists, do not trust this server's disk or network",
  ],
  ERR_HOST_FULL: ["the server's disk is full", "make room on the server, and run it again"],
  ERR_STEP_FAILED: [
    "a step failed on the server",
    "put its reason right and run it again: it goes on there",
  ],
  ERR_STEP_STALLED: [
    "a step on the server has not moved for too long",
    "look at the server's load, and run it again: it goes on where it was",
  ],
  ERR_JOURNAL: [
    "what the server says about the set-up was not understood",
    "uninstall what is there, and set the server up again",
  ],
  ERR_REFUSED_BY_PERSON: ["you did not agree", "run it again when you have decided"],
  ERR_CANCELLED: ["you ended it", "run it again: what was done is kept, and found"],
  ERR_INBOUND_BLOCKED: [
    "the node runs, and its port cannot be reached from here",
    "open the port in your provider's firewall, and in the server's own if it has one",
  ],
  ERR_NODE_CHANGED: [
    "the node on this server is another one than the one that was set up from here",
    "do not continue: find out who set it up anew",
  ],
  ERR_OTHER_OWNER: [
    "this server is already a node, and its devices were named by somebody else",
    "add this device from an admin's device, or uninstall the node first",
  ],
  ERR_SSH_HARDENING: [
    "the key did not sign in, so SSH takes passwords as before, within five minutes",
    "see that the key signs in by itself, and run it again",
  ],
  ERR_UNKNOWN_HERE: [
    "this machine knows no such node",
    "see phantoma node list, and name it with --name",
  ],
  ERR_NO_EARLIER: ["no earlier release is kept on this server", "update it to the one you want"],
  ERR_NOT_INSTALLED: ["there is no node on this server", "check the address"],
} as const satisfies Record<string, readonly [cause: string, action: string]>;

export type ProvisionErrorCode = keyof typeof causes;

export class ProvisionError extends Error {
  override readonly name = "ProvisionError";
  readonly code: ProvisionErrorCode;

  /** @param about a few words of ours: a step, a check, a name; never the server's own words */
  constructor(
    code: ProvisionErrorCode,
    options: { readonly about?: string; readonly cause?: unknown } = {},
  ) {
    const { about, cause } = options;
    const [why] = causes[code];
    super(about === undefined ? why : `${why}: ${about}`, cause === undefined ? {} : { cause });
    this.code = code;
  }

  /** The one thing to do about it. */
  get action(): string {
    return causes[this.code][1];
  }
}
