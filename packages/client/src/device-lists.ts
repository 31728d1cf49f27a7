/**
 * Device lists as a device makes them: the first one, and each next one.
 *
 * @module
 */
import {
  deviceListDocument,
  NO_PREVIOUS,
  openFirstDeviceList,
  documentHash,
  sameBytes,
  type Device,
  type DeviceIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";

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

/** The current list with one more device. */
export function signAddedDevice(
  admin: DeviceIdentity,
  current: VerifiedDeviceList,
  device: NewDevice,
  now: number,
): Uint8Array {
  const added = { ...device, addedAt: now, revokedAt: null };
  return signNext(admin, current, [...current.devices, added], now);
}

/** The current list with one device marked as revoked. */
export function signRevokedDevice(
  admin: DeviceIdentity,
  current: VerifiedDeviceList,
  signingKey: Uint8Array,
  now: number,
): Uint8Array {
  const devices = current.devices.map((device) =>
    sameBytes(device.signingKey, signingKey) && device.revokedAt === null
      ? { ...device, revokedAt: now }
      : device,
  );
  return signNext(admin, current, devices, now);
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
      issuedAt: now,
      signer: admin.signing.publicKey,
      devices,
    },
    admin.signing.privateKey,
  );
}
