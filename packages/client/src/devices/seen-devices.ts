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
  MAX_DEVICES,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { ClientError } from "../client-error.ts";

/** Which list it was: what later ones are followed from. */
export interface SeenList {
  /** The node's Ed25519 key in hex: a new node of the same name begins anew. */
  readonly nodeKey: string;
  readonly version: number;
  /** SHA-256 of that version's document in hex. */
  readonly hash: string;
}

export interface SeenDevices extends SeenList {
  /** Signing keys in hex of its active admins, at least one: one of them approves the node's next key. */
  readonly admins: readonly string[];
}

/**
 * What to remember of `current`: a list that was followed, or signed here, or that a pairing or a kit came with.
 *
 * @throws {@link ClientError} `ERR_NODE_IDENTITY` when the node went back, or tells two stories
 */
export function nextSeenDevices(
  seen: SeenList | undefined,
  current: Pick<VerifiedDeviceList, "node" | "version" | "hash" | "previous" | "devices">,
): SeenDevices {
  const { version } = current;
  const admins = current.devices
    .filter(({ role, revokedAt }) => role === "admin" && revokedAt === null)
    .map(({ signingKey }) => hex(signingKey));
  const next = { nodeKey: hex(current.node), version, hash: hex(current.hash), admins };
  if (seen?.nodeKey !== next.nodeKey) return next;
  if (next.version < seen.version)
    refuse(`it shows device list ${next.version}, but this machine has seen ${seen.version}`);
  if (next.version === seen.version && next.hash !== seen.hash)
    refuse(`it shows another device list ${next.version} than this machine has seen`);
  if (next.version === seen.version + 1 && hex(current.previous) !== seen.hash)
    refuse(`its device list ${next.version} does not follow the one this machine has seen`);
  return next;
}

/**
 * A list as the node gave it, signed by whom it names. Whether it continues what this machine has seen is not looked at
 * here: {@link followDeviceLists} does.
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
      return { nodeKey, version: version as number, hash, admins };
  } catch {
    // Refused below, like everything else that is no record.
  }
  throw new ClientError("ERR_PROFILE", "the stored device list record cannot be read");
}

function areAdmins(untrusted: unknown): untrusted is string[] {
  if (!Array.isArray(untrusted) || !untrusted.every(isHash)) return false;
  return untrusted.length > 0 && untrusted.length <= MAX_DEVICES;
}

function isHash(untrusted: unknown): untrusted is string {
  return typeof untrusted === "string" && /^[0-9a-f]{64}$/.test(untrusted);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** @throws {@link ClientError} `ERR_NODE_IDENTITY` */
export function refuse(message: string): never {
  throw new ClientError("ERR_NODE_IDENTITY", `the node may hide a change: ${message}`);
}
