/**
 * The newest device list that this machine saw of a node, so that a node cannot show an older one to
 * an admin who then signs on top of it. This file decides; whoever calls it keeps the record.
 *
 * @module
 */
import {
  CryptoError,
  deviceListDocument,
  documentHash,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { ClientError } from "../client-error.ts";

export interface SeenDevices {
  /** The node's Ed25519 key in hex: a new node of the same name begins anew. */
  readonly nodeKey: string;
  readonly version: number;
  /** SHA-256 of that version's document in hex. */
  readonly hash: string;
  /** Signing keys in hex of those who might sign the next; an older record has none. */
  readonly admins?: readonly string[];
}

/**
 * What to remember after `current` was shown.
 *
 * Lists between the last one and a later one are not shown. So a later one is believed from a signer who was an admin
 * in the last one, not from an admin who was added meanwhile: that could be anybody whom the node made up.
 *
 * @param isPaired a person has just compared words, or opened a kit: this settled who the admins are
 * @throws {@link ClientError} `ERR_NODE_IDENTITY` when the node went back, or tells two stories
 */
export function nextSeenDevices(
  seen: SeenDevices | undefined,
  current: Omit<VerifiedDeviceList, "issuedAt">,
  isPaired = false,
): SeenDevices {
  const next = {
    nodeKey: hex(current.node),
    version: current.version,
    hash: hex(current.hash),
    admins: current.devices
      .filter(({ role, revokedAt }) => role === "admin" && revokedAt === null)
      .map(({ signingKey }) => hex(signingKey)),
  };
  if (seen?.nodeKey !== next.nodeKey) return next;
  if (next.version < seen.version)
    refuse(`it shows device list ${next.version}, but this machine has seen ${seen.version}`);
  if (next.version === seen.version && next.hash !== seen.hash)
    refuse(`it shows another device list ${next.version} than this machine has seen`);
  if (next.version === seen.version + 1 && hex(current.previous) !== seen.hash)
    refuse(`its device list ${next.version} does not follow the one this machine has seen`);
  const isBelieved = isPaired || !seen.admins || seen.admins.includes(hex(current.signer));
  if (next.version > seen.version && !isBelieved)
    refuse(
      `no admin whom this machine has seen signed device list ${next.version}; if one was added meanwhile, pair this device anew`,
    );
  return next;
}

/**
 * A list as the node gave it, signed by whom it names. It came over the node's own authenticated tunnel; whether it
 * continues the chain, the node, its gateway and its warden each check, and what is signed on a false one they refuse.
 *
 * @throws {@link ClientError} `ERR_NODE_IDENTITY`
 */
export function openDeviceList(untrusted: Uint8Array, nodeKey: string): VerifiedDeviceList {
  try {
    const opened = deviceListDocument.open(untrusted, ({ signer }) => signer);
    if (hex(opened.node) === nodeKey) return { ...opened, hash: documentHash(untrusted) };
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new ClientError("ERR_NODE_IDENTITY", "the node gave something else than a device list");
  }
  throw new ClientError("ERR_NODE_IDENTITY", "the device list is another node's");
}

/** @throws {@link ClientError} `ERR_PROFILE` */
export function parseSeenDevices(untrusted: string): SeenDevices {
  try {
    const { nodeKey, version, hash, admins } = JSON.parse(untrusted) as Record<string, unknown>;
    if (isHash(nodeKey) && isHash(hash) && Number.isSafeInteger(version) && areAdmins(admins))
      return { nodeKey, version: version as number, hash, ...(admins && { admins }) };
  } catch {
    // Refused below, like everything else that is no record.
  }
  throw new ClientError("ERR_PROFILE", "the stored device list record cannot be read");
}

function areAdmins(untrusted: unknown): untrusted is string[] | undefined {
  return untrusted === undefined || (Array.isArray(untrusted) && untrusted.every(isHash));
}

function isHash(untrusted: unknown): untrusted is string {
  return typeof untrusted === "string" && /^[0-9a-f]{64}$/.test(untrusted);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function refuse(message: string): never {
  throw new ClientError("ERR_NODE_IDENTITY", `the node may hide a change: ${message}`);
}
