/**
 * Device lists as a device makes them: the first one, and each next one.
 *
 * @module
 */
import {
  deviceListDocument,
  MAX_DEVICES,
  NO_PREVIOUS,
  openFirstDeviceList,
  documentHash,
  sameBytes,
  type Device,
  type DeviceIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { ClientError } from "../client-error.ts";

export type NewDevice = Pick<Device, "signingKey" | "tunnelKey" | "name" | "role">;

/** The public half of an identity, for a list. */
export function describeDevice(
  identity: DeviceIdentity,
  name: string,
  role: Device["role"],
): NewDevice {
  const { signing, tunnel } = identity;
  return { signingKey: signing.publicKey, tunnelKey: tunnel.publicKey, name, role };
}

/** Version 1: the first admin's device alone. Root on the host places it. */
export function signFirstDeviceList(
  admin: DeviceIdentity,
  name: string,
  node: Uint8Array,
  now: number,
): { list: Uint8Array; verified: VerifiedDeviceList } {
  const device = { ...describeDevice(admin, name, "admin"), addedAt: now, revokedAt: null };
  const list = deviceListDocument.sign(
    {
      node,
      version: 1,
      previous: NO_PREVIOUS,
      issuedAt: now,
      signer: admin.signing.publicKey,
      devices: [device],
    },
    admin.signing.privateKey,
  );
  return { list, verified: openFirstDeviceList(list, node, documentHash(list)) };
}

/**
 * The current list with one more device; in a full one it takes the place of a device that was revoked.
 *
 * @throws {@link ClientError} `ERR_LIMIT` when the list is full of devices that are not revoked
 */
export function signAddedDevice(
  admin: DeviceIdentity,
  current: VerifiedDeviceList,
  device: NewDevice,
  now: number,
): Uint8Array {
  return signNext(admin, current, withAdded(current.devices, device, now), now);
}

/** The current list with one device marked as revoked. */
export function signRevokedDevice(
  admin: DeviceIdentity,
  current: VerifiedDeviceList,
  signingKey: Uint8Array,
  now: number,
): Uint8Array {
  return signNext(admin, current, withRevoked(current.devices, [signingKey], now), now);
}

/** The current list with another name or role for one device. */
export function signChangedDevice(
  admin: DeviceIdentity,
  current: VerifiedDeviceList,
  signingKey: Uint8Array,
  change: Partial<Pick<Device, "name" | "role">>,
  now: number,
): Uint8Array {
  const devices = current.devices.map((device) =>
    sameBytes(device.signingKey, signingKey) ? { ...device, ...change } : device,
  );
  return signNext(admin, current, devices, now);
}

/** One list that takes a device in and lets others go: what a recovery kit signs. */
export function signReplacedDevices(
  admin: DeviceIdentity,
  current: VerifiedDeviceList,
  device: NewDevice,
  lost: readonly Uint8Array[],
  now: number,
): Uint8Array {
  const left = withRevoked(current.devices, lost, now);
  return signNext(admin, current, withAdded(left, device, now), now);
}

function withRevoked(devices: readonly Device[], keys: readonly Uint8Array[], now: number) {
  return devices.map((device) =>
    device.revokedAt === null && keys.some((key) => sameBytes(device.signingKey, key))
      ? { ...device, revokedAt: now }
      : device,
  );
}

function withAdded(devices: readonly Device[], device: NewDevice, now: number): Device[] {
  const added = { ...device, addedAt: now, revokedAt: null };
  if (devices.length < MAX_DEVICES) return [...devices, added];
  // The longest revoked: the node allows that one to be dropped, and nobody misses it.
  const [oldest] = devices
    .filter(({ revokedAt }) => revokedAt !== null)
    .toSorted((a, b) => a.revokedAt! - b.revokedAt!);
  if (!oldest)
    throw new ClientError("ERR_LIMIT", `a node has ${MAX_DEVICES} devices; revoke one first`);
  return [...devices.filter((one) => one !== oldest), added];
}

function signNext(
  admin: DeviceIdentity,
  current: VerifiedDeviceList,
  devices: readonly Device[],
  now: number,
): Uint8Array {
  return deviceListDocument.sign(
    {
      node: current.node,
      version: current.version + 1,
      previous: current.hash,
      // A clock that is behind the last admin's would make a list that the node must refuse.
      issuedAt: Math.max(now, current.issuedAt),
      signer: admin.signing.publicKey,
      devices,
    },
    admin.signing.privateKey,
  );
}
