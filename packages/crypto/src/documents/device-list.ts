/**
 * Who may use a node: a chain of lists, each signed by an admin of the one before.
 *
 * Root on the host places version 1 and its hash at set-up (the first admin's device signs it);
 * gateway, keeper and warden each follow the chain for themselves.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import { CryptoError } from "../crypto-error.ts";
import { documentHash, documentKind } from "./document.ts";
import { bytes, choice, group, list, optional, text, time, unsigned } from "./fields.ts";
import type { ValuesOf } from "./fields.ts";

/** People and their machines, not a directory: a list stays readable by a human. */
export const MAX_DEVICES = 64;
export const MAX_DEVICE_NAME_BYTES = 64;

const device = {
  /** Ed25519: signs tickets and, for an admin, lists and orders. */
  signingKey: bytes(32),
  /** X25519: the static key of the device's handshakes. */
  tunnelKey: bytes(32),
  name: text(MAX_DEVICE_NAME_BYTES),
  role: choice({ admin: 1, chat: 2 }),
  addedAt: time,
  /** Once set it stays; a revoked device may be dropped from a later list. */
  revokedAt: optional(time),
} as const;

const layout = {
  node: bytes(32),
  version: unsigned(4),
  /** Hash of the list before; zeros for version 1. */
  previous: bytes(32),
  issuedAt: time,
  /** The admin device that signed, by its Ed25519 key. */
  signer: bytes(32),
  devices: list(group(device), MAX_DEVICES),
} as const;

export type Device = ValuesOf<typeof device>;
export type DeviceList = ValuesOf<typeof layout>;
export const deviceListDocument = documentKind(3, 1, "device list", layout);

/** A list that has been verified, with the hash that the next one must name. */
export interface VerifiedDeviceList extends DeviceList {
  readonly hash: Uint8Array;
}

export const NO_PREVIOUS: Uint8Array = new Uint8Array(32);

/**
 * Version 1, believed because root pinned its hash at set-up.
 *
 * @throws {@link CryptoError} `ERR_NOT_AUTHORISED` and what {@link DocumentKind.open} throws
 */
export function openFirstDeviceList(
  untrusted: Uint8Array,
  node: Uint8Array,
  pinnedHash: Uint8Array,
): VerifiedDeviceList {
  const hash = documentHash(untrusted);
  if (!sameBytes(hash, pinnedHash)) notAuthorised("not the device list that was pinned at set-up");
  const opened = deviceListDocument.open(untrusted, (l) => l.signer);
  if (opened.version !== 1) notAuthorised("the first device list has version 1");
  if (!sameBytes(opened.previous, NO_PREVIOUS)) notAuthorised("nothing stands before version 1");
  if (!activeAdmin(opened, opened.signer)) notAuthorised("the signer is no admin of this list");
  return checked(opened, node, hash);
}

/**
 * The list that follows `current`.
 *
 * @throws {@link CryptoError} `ERR_NOT_AUTHORISED` and what {@link DocumentKind.open} throws
 */
export function openNextDeviceList(
  untrusted: Uint8Array,
  current: VerifiedDeviceList,
): VerifiedDeviceList {
  const next = deviceListDocument.open(
    untrusted,
    ({ signer }) => activeAdmin(current, signer)?.signingKey,
  );
  if (next.version !== current.version + 1)
    notAuthorised(`version ${current.version + 1} is due, not ${next.version}`);
  if (!sameBytes(next.previous, current.hash)) notAuthorised("it follows another device list");
  if (next.issuedAt < current.issuedAt) notAuthorised("it is older than the list before");
  for (const device of current.devices) assertKept(device, next);
  if (!next.devices.some((d) => d.role === "admin" && d.revokedAt === null))
    notAuthorised("it would leave the node without an admin");
  return checked(next, current.node, documentHash(untrusted));
}

/** The device with this signing key, unless it was revoked. */
export function activeDevice(devices: DeviceList, signingKey: Uint8Array): Device | undefined {
  return devices.devices.find((d) => d.revokedAt === null && sameBytes(d.signingKey, signingKey));
}

export function activeAdmin(devices: DeviceList, signingKey: Uint8Array): Device | undefined {
  const device = activeDevice(devices, signingKey);
  return device?.role === "admin" ? device : undefined;
}

/** Constant-time comparison of two public values, so that habit never meets a secret one. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Devices do not vanish or come back: they are revoked, and a revoked one may be dropped later. */
function assertKept(device: Device, next: DeviceList): void {
  const kept = next.devices.find((d) => sameBytes(d.signingKey, device.signingKey));
  if (!kept && device.revokedAt === null) notAuthorised("a device vanished without being revoked");
  if (!kept) return;
  if (!sameBytes(kept.tunnelKey, device.tunnelKey)) notAuthorised("a device changed its key");
  if (device.revokedAt !== null && kept.revokedAt !== device.revokedAt)
    notAuthorised("a revocation was undone");
}

function checked(opened: DeviceList, node: Uint8Array, hash: Uint8Array): VerifiedDeviceList {
  if (!sameBytes(opened.node, node)) notAuthorised("a device list of another node");
  const keys = opened.devices.flatMap((d) => [hex(d.signingKey), hex(d.tunnelKey)]);
  if (new Set(keys).size !== keys.length) notAuthorised("a key is listed twice");
  return { ...opened, hash };
}

function hex(key: Uint8Array): string {
  return Buffer.from(key).toString("hex");
}

function notAuthorised(message: string): never {
  throw new CryptoError("ERR_NOT_AUTHORISED", message);
}
