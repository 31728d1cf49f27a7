/**
 * Every code of a failure that the page may be told, and what to do about the console's own.
 *
 * Imports no schema library: the preload and the page's bridge need codes and no more.
 *
 * @module
 */

/** What the console itself refuses or fails at, and what a person should do about it. */
export const consoleAdvice = {
  /** The request did not come from our own page: nothing to do, it was refused. */
  ERR_FORBIDDEN_SENDER: "open the console's own window",
  /** No request or stream has that name: page and console are of two versions. */
  ERR_ROUTE: "restart the console",
  /** The input is not of its schema, or too large. */
  ERR_VALIDATION: "send something smaller, or restart the console",
  /** Too many requests or streams at once. */
  ERR_OVERLOADED: "close other windows of the console, then try again",
  /** A fault of the console's own. */
  ERR_INTERNAL: "try again; if it persists, restart the console",
  /** The page cannot reach the console behind it any more. */
  ERR_CONSOLE_UNREACHABLE: "start the console again and open its new link",
  /** Not in this shell: a browser's page cannot do it. */
  ERR_NOT_HERE: "do it in the desktop application, or by hand",
  /** The address is of a kind that the console does not open. */
  ERR_LINK_REFUSED: "copy the address and judge it yourself",
  /** No such node is paired. */
  ERR_NODE_UNKNOWN: "pair with the node again",
  /** The node's fingerprint was never confirmed, so nothing is sent to it. */
  ERR_NOT_CONFIRMED: "compare the fingerprint and confirm the node",
  /** No such conversation or message is held. */
  ERR_CONVERSATION_UNKNOWN: "start a new conversation",
  ERR_MESSAGE_UNKNOWN: "reload the conversation",
  /** The conversation already has an answer under way. */
  ERR_ANSWERING: "stop the answer first",
  /** Too many conversations are held in memory. */
  ERR_TOO_MANY: "remove conversations you no longer need",
  /** The device key is there but cannot be opened. */
  ERR_KEY_LOCKED: "unlock the system's key store, then restart the console",
  /** The console is locked: its keys are not in memory. */
  ERR_LOCKED: "unlock the console",
  /** Any program of this user can read the key, so a lock would only pretend. */
  ERR_LOCK_POINTLESS: "set a passphrase first",
  /** No pairing or kit is open here. */
  ERR_NOT_BEGUN: "begin again",
  /** Nobody can be asked: the last model was removed, or none came yet. */
  ERR_NO_MODEL: "add a model to the node",
  /** The model file of the demo is not where it should be. */
  ERR_MODEL_MISSING: "make it with `npm run make-model`, or name a GGUF file with --model",
  /** What was resolved is no longer held, or another address was resolved since. */
  ERR_PROPOSAL_UNKNOWN: "look the address up again",
  /** A file is already being sent. */
  ERR_PUSHING: "wait for the file that is being sent, or cancel it",
  /** The page did not hand the file over, or none is being sent. */
  ERR_PUSH_ENDED: "choose the file again",
  /** The chosen file cannot be read any more: it was changed, moved or removed. */
  ERR_FILE_UNREADABLE: "choose the file again",
  /** Not in this state of the set-up: another page of the console went on. */
  ERR_SETUP_STATE: "look where the set-up is now",
  /** The chosen file does not begin as a GGUF file does. */
  ERR_NOT_GGUF: "choose a model in the GGUF format",
} as const satisfies Record<string, string>;

/** The codes of packages/client, which a test keeps equal to its list. */
export const clientCodes = [
  "ERR_UNREACHABLE",
  "ERR_PIN_MISMATCH",
  "ERR_NODE_IDENTITY",
  "ERR_HANDSHAKE",
  "ERR_CONNECTION_LOST",
  "ERR_TIMEOUT",
  "ERR_CONVERSATION_ENDED",
  "ERR_DEVICE_REVOKED",
  "ERR_TICKET_REFUSED",
  "ERR_NODE_SUCCEEDED",
  "ERR_TICKET_MALFORMED",
  "ERR_TICKET_STALE",
  "ERR_TICKET_REUSED",
  "ERR_CLOCKS",
  "ERR_MODEL_UNKNOWN",
  "ERR_BUSY",
  "ERR_INVALID_UTF8",
  "ERR_INVALID_MESSAGE",
  "ERR_PROMPT_TOO_LONG",
  "ERR_ATTACHMENT_UNKNOWN",
  "ERR_LIMIT",
  "ERR_MODEL_FAILED",
  "ERR_FORBIDDEN",
  "ERR_DOCUMENT_REFUSED",
  "ERR_UNAVAILABLE",
  "ERR_ORDER_REFUSED",
  "ERR_WINDOW_OPEN",
  "ERR_NO_POLICY",
  "ERR_NO_SPACE",
  "ERR_DIGEST",
  "ERR_MODEL_SOURCE",
  "ERR_MODEL_HOST",
  "ERR_MODEL_UNVERIFIABLE",
  "ERR_MODEL_FILE",
  "ERR_CANCELLED",
  "ERR_VAULT_CONFLICT",
  "ERR_VAULT_FULL",
  "ERR_VAULT_UNKNOWN",
  "ERR_MODEL_IN_USE",
  "ERR_OTHER_RELEASE",
  "ERR_UPDATE_UNKNOWN",
  "ERR_RECEIPT_FILE",
  "ERR_RECEIPT_FORGED",
  "ERR_RECEIPT_OTHER_NODE",
  "ERR_RECEIPT_UNKNOWN",
  "ERR_PAIRING_CODE",
  "ERR_PAIRING_EXPIRED",
  "ERR_PAIRING_SPENT",
  "ERR_PAIRING_OTHER",
  "ERR_PAIRING_WORDS",
  "ERR_LAST_ADMIN",
  "ERR_DEVICE_NAME",
  "ERR_KIT_FIXED",
  "ERR_DEVICE_UNKNOWN",
  "ERR_KIT_FILE",
  "ERR_KIT_VERSION",
  "ERR_PASSPHRASE",
  "ERR_PASSPHRASE_SHORT",
  "ERR_PROFILE",
  "ERR_LOCAL_NODE",
] as const;

/** The codes of packages/provision, but for those that the client has too; a test keeps them equal to its list. */
export const provisionCodes = [
  "ERR_SSH_ADDRESS",
  "ERR_SSH_UNREACHABLE",
  "ERR_SSH_TIMEOUT",
  "ERR_SSH_ALGORITHMS",
  "ERR_SSH_PROTOCOL",
  "ERR_HOST_KEY_UNKNOWN",
  "ERR_HOST_KEY_CHANGED",
  "ERR_HOST_KEY_TEXT",
  "ERR_KNOWN_HOSTS",
  "ERR_SSH_SIGN_IN",
  "ERR_SSH_METHOD",
  "ERR_SSH_MORE_PROOF",
  "ERR_SSH_AGENT",
  "ERR_KEY_FORMAT",
  "ERR_KEY_PASSPHRASE_WANTED",
  "ERR_KEY_PASSPHRASE",
  "ERR_SSH_CHANNEL",
  "ERR_SSH_DROPPED",
  "ERR_SSH_OUTPUT",
  "ERR_SUDO_NONE",
  "ERR_SUDO_NOT_ALLOWED",
  "ERR_SUDO_PASSWORD_WANTED",
  "ERR_SUDO_PASSWORD",
  "ERR_SUDO_POLICY",
  "ERR_FACTS",
  "ERR_HOST_UNFIT",
  "ERR_HOST_BUSY",
  "ERR_BUNDLE",
  "ERR_BUNDLE_REFUSED",
  "ERR_BUNDLE_DAMAGED",
  "ERR_HOST_FULL",
  "ERR_STEP_FAILED",
  "ERR_STEP_STALLED",
  "ERR_JOURNAL",
  "ERR_REFUSED_BY_PERSON",
  "ERR_INBOUND_BLOCKED",
  "ERR_NODE_CHANGED",
  "ERR_OTHER_OWNER",
  "ERR_SSH_HARDENING",
  "ERR_UNKNOWN_HERE",
  "ERR_NO_EARLIER",
  "ERR_NOT_INSTALLED",
] as const;

/** The codes of packages/vault that the client does not have, which a test keeps equal to its list. */
export const vaultCodes = [
  "ERR_VAULT_FORGED",
  "ERR_VAULT_DAMAGED",
  "ERR_VAULT_ROLLED_BACK",
  "ERR_VAULT_FORKED",
  "ERR_VAULT_KEY",
  "ERR_VAULT_NOT_JOINED",
  "ERR_VAULT_CARD",
  "ERR_VAULT_MEMBERS",
  "ERR_VAULT_OTHER_NODE",
  "ERR_VAULT_TOO_LARGE",
  "ERR_VAULT_STORE",
  "ERR_VAULT_IN_USE",
  "ERR_VAULT_FILE",
  "ERR_VAULT_PASSPHRASE",
] as const;

export type ConsoleOwnCode = keyof typeof consoleAdvice;
export type ProvisionCode = (typeof provisionCodes)[number];
export type VaultCode = (typeof vaultCodes)[number];
export type ErrorCode = ConsoleOwnCode | (typeof clientCodes)[number] | ProvisionCode | VaultCode;

/** A refusal of the console's own, as the page is told it. */
export interface Refusal {
  readonly ok: false;
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly action: string };
}

export function refused(code: ConsoleOwnCode, message: string): Refusal {
  return { ok: false, error: { code, message, action: consoleAdvice[code] } };
}
