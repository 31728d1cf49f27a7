/**
 * What an admin's device refuses to sign, though the node would take it: what a person regrets.
 *
 * @module
 */
import type { Device, DeviceList } from "@phantoma/crypto";
import { MAX_DEVICE_NAME_BYTES } from "@phantoma/crypto";
import { ClientError } from "../client-error.ts";

type Devices = Pick<DeviceList, "devices">;

/** The name of a kit's key in the list: an admin that no machine has. */
export const KIT_NAME = "Recovery kit";

export function isRecoveryKit({ name }: Pick<Device, "name">): boolean {
  return name.startsWith(KIT_NAME);
}

/** What would move a name out of its line, or turn its order round: a device list refuses it too. */
const NOT_IN_A_NAME =
  // oxlint-disable-next-line no-control-regex -- refusing them is the point
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g;

const shown = (name: string) => name.replace(NOT_IN_A_NAME, "").trim().toLowerCase();

/**
 * Two devices that look the same in a list could not be told apart when one must be revoked.
 *
 * @throws {@link ClientError} `ERR_DEVICE_NAME`
 */
export function assertNameIsFree({ devices }: Devices, name: string): void {
  const length = Buffer.byteLength(name);
  if (length > MAX_DEVICE_NAME_BYTES || shown(name) === "" || name.search(NOT_IN_A_NAME) !== -1)
    refuse(`a device's name has 1 to ${MAX_DEVICE_NAME_BYTES} bytes and stays in its line`);
  // In any letter case: a person would take it for one.
  if (shown(name).startsWith(KIT_NAME.toLowerCase()))
    refuse("that is what recovery kits are called");
  if (devices.some((d) => d.revokedAt === null && shown(d.name) === shown(name)))
    refuse(`a device is already named ${JSON.stringify(name)}`);
}

/**
 * A kit is told from a machine by its name alone: under another one it would count as an admin that stays.
 *
 * @throws {@link ClientError} `ERR_KIT_FIXED`
 */
export function assertIsNoKit(device: Pick<Device, "name">): void {
  if (!isRecoveryKit(device)) return;
  throw new ClientError("ERR_KIT_FIXED", "a recovery kit keeps its name and its role");
}

/**
 * A node whose last admin is gone can be changed by nobody; a kit in a drawer does not count as one.
 *
 * @throws {@link ClientError} `ERR_LAST_ADMIN`
 */
export function assertAdminStays({ devices }: Devices, leaving: Device): void {
  const isAdmin = (d: Device) => d.role === "admin" && d.revokedAt === null && !isRecoveryKit(d);
  if (!isAdmin(leaving) || devices.some((d) => d !== leaving && isAdmin(d))) return;
  throw new ClientError("ERR_LAST_ADMIN", `${JSON.stringify(leaving.name)} is the last admin`);
}

function refuse(message: string): never {
  throw new ClientError("ERR_DEVICE_NAME", message);
}
