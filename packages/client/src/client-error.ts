/**
 * Every failure of talking to a node, as a code with one thing to do about it.
 *
 * @module
 */
import type { RefusalCode, Refused, ControlRefusal } from "@phantoma/protocol";

/** What went wrong, and what a person should do about it. */
export const advice = {
  /** Nothing answers at the node's address. */
  ERR_UNREACHABLE: "check that the node runs and that its address is right",
  /** Something else answers at the node's address, or the node's TLS key was replaced. */
  ERR_PIN_MISMATCH: "do not continue; pair with the node again over a channel you trust",
  /** The process behind the tunnel could not prove that it is the node's. */
  ERR_NODE_IDENTITY: "do not continue; the node may have been taken over",
  /** The tunnel broke during the handshake. */
  ERR_HANDSHAKE: "try again; if it persists, the connection is being tampered with",
  /** The connection ended in the middle of something. */
  ERR_CONNECTION_LOST: "what has arrived is kept; connect again",
  /** Nothing came in time. */
  ERR_TIMEOUT: "try again",
  /** The conversation was ended: by request, because it was idle, or at its hard limit. */
  ERR_CONVERSATION_ENDED: "start a new conversation",
  /** This device was revoked. */
  ERR_DEVICE_REVOKED: "ask an admin of the node",
  /** The node does not know this device, or the ticket is another node's. */
  ERR_TICKET_REFUSED: "pair with the node again",
  /** The node has another key now, and whoever connected did not follow it. */
  ERR_NODE_SUCCEEDED: "try again: this machine follows the node's new key",
  ERR_TICKET_MALFORMED: "update this program or the node",
  ERR_TICKET_STALE: "set this machine's clock",
  ERR_TICKET_REUSED: "try again",
  /** What the node says of the time is not to be signed. */
  ERR_CLOCKS: "set both clocks; if they are right, do not continue: the node may be taken over",
  ERR_MODEL_UNKNOWN: "choose one of the node's models",
  /** The node has no worker to give, or an answer is still under way. */
  ERR_BUSY: "try again later",
  ERR_INVALID_UTF8: "send text",
  ERR_INVALID_MESSAGE: "update this program or the node",
  ERR_PROMPT_TOO_LONG: "shorten the prompt, or begin a new conversation",
  ERR_ATTACHMENT_UNKNOWN: "attach the file again",
  ERR_LIMIT: "send less",
  ERR_MODEL_FAILED: "try again; if it persists, choose another model",
  ERR_FORBIDDEN: "use an admin's device",
  ERR_DOCUMENT_REFUSED: "fetch the current list and sign again",
  ERR_UNAVAILABLE: "try again later",
  /** The node's warden verified the order for itself and did not accept it. */
  ERR_ORDER_REFUSED: "resolve the file again and sign a new order",
  ERR_WINDOW_OPEN: "wait for the open window to end, or close it",
  /** No kernel policy: nothing is closed there, so nothing can be opened. */
  ERR_NO_POLICY: "push the model from this machine instead",
  ERR_NO_SPACE: "remove a model from the node",
  ERR_DIGEST: "push the file again; if it persists, a disk is failing",
  /** What is named is no https address of a file. */
  ERR_MODEL_SOURCE: "name an https address, or owner/repository/file.gguf",
  /** The model host does not answer with the file. */
  ERR_MODEL_HOST: "check the address; a file that needs a login is downloaded here and pushed",
  /** Its size or SHA-256 is not known, or not the one that was given: nothing to sign. */
  ERR_MODEL_UNVERIFIABLE: "give --bytes and --sha256 from a source that you trust",
  /** The file on this machine cannot be pushed. */
  ERR_MODEL_FILE: "check the file's name and rights",
  /** By the person. */
  ERR_CANCELLED: "start again; what has arrived is kept",
  /** Another device of the same vault was faster. */
  ERR_VAULT_CONFLICT: "sync again",
  ERR_VAULT_FULL: "delete saved conversations that you no longer need",
  ERR_VAULT_UNKNOWN: "sync again",
  ERR_MODEL_IN_USE: "wait until the tasks that use it have ended",
  /** The node's own, but it runs a release that this device has not taken yet. */
  ERR_OTHER_RELEASE:
    "look at its update: this device takes a release that its quorum signed; otherwise do not continue",
  ERR_UPDATE_UNKNOWN: "look again at what waits there",
  /** A file that is not a whole file of receipts, or would be none. */
  ERR_RECEIPT_FILE: "get the file again from where it was exported",
  /** A signature in it is not what it says, or the node signed two stories. */
  ERR_RECEIPT_FORGED: "do not rely on it; somebody changed it, or the node is not to be trusted",
  /** Whole, and signed by somebody else than was asked for. */
  ERR_RECEIPT_OTHER_NODE: "compare the fingerprints with those that the node was paired with",
  /** The node does not have the receipt any more, or never gave this device one. */
  ERR_RECEIPT_UNKNOWN: "list the receipts that there are",
  /** What was pasted is no code, or not all of it. */
  ERR_PAIRING_CODE: "copy the whole code again",
  ERR_PAIRING_EXPIRED: "make a new invitation; it waits ten minutes. If it is new, set the clocks",
  /** It was used, looked at too many codes, or was given up; or there never was one. */
  ERR_PAIRING_SPENT: "make a new invitation",
  ERR_PAIRING_OTHER: "use the newest invitation on both devices",
  /** The person said that the words differ. */
  ERR_PAIRING_WORDS: "do not continue; make a new invitation and carry the codes another way",
  ERR_LAST_ADMIN: "make another device an admin first",
  ERR_DEVICE_NAME: "choose another name",
  ERR_KIT_FIXED: "revoke the kit, and make another one",
  ERR_DEVICE_UNKNOWN: "list the devices",
  /** The file is no recovery kit, or not the one that was written. */
  ERR_KIT_FILE: "use the file that `recovery make` wrote, or another copy of it",
  /** A whole kit, which this program cannot read. */
  ERR_KIT_VERSION: "make a new one on a device that is still an admin, and revoke this one",
  ERR_PASSPHRASE: "type it again; nobody can tell you what it was",
  ERR_PASSPHRASE_SHORT: "use at least 12 characters, or let words be made",
  /** The stored profile or key is not readable. */
  ERR_PROFILE: "forget the node on this machine, then pair with it again",
  /** A demo node could not be started here. */
  ERR_LOCAL_NODE: "see the node's log above",
} as const satisfies Record<string, string> &
  Record<RefusalCode | Refused["code"] | ControlRefusal, string>;

export type ClientErrorCode = keyof typeof advice;

export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** The one thing to do about it. */
  get action(): string {
    return advice[this.code];
  }
}
