/**
 * A node in a temporary folder with an admin's and a chat device, for tests. Not part of the product.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  deviceListDocument,
  documentHash,
  generateDeviceIdentity,
  generateNodeIdentity,
  NO_MODEL,
  NO_PREVIOUS,
  openFirstDeviceList,
  openNextDeviceList,
  ticketDocument,
  type Device,
  type DeviceIdentity,
  type Ticket,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { onTestFinished } from "vitest";
import { GENESIS_FILE, listPath } from "./devices/device-list-folder.ts";
import { writeCatalogue } from "./models/model-store.ts";

export const MODEL = Buffer.alloc(32, 0xab);

export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "phantoma-test-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export class TestNode {
  readonly dir = temporaryDir();
  readonly identity = generateNodeIdentity();
  readonly key = this.identity.signing.publicKey;
  readonly admin = generateDeviceIdentity();
  readonly chat = generateDeviceIdentity();
  readonly stranger = generateDeviceIdentity();
  readonly devicesDir = join(this.dir, "devices");
  readonly modelsDir = join(this.dir, "models");
  readonly firstList: Uint8Array;
  devices: VerifiedDeviceList;

  constructor() {
    for (const dir of [this.devicesDir, this.modelsDir]) mkdirSync(dir);
    writeCatalogue(this.modelsDir, [{ name: "model", digest: MODEL.toString("hex"), bytes: 4 }]);
    this.firstList = this.signList(1, NO_PREVIOUS, [
      entry(this.admin, "admin"),
      entry(this.chat, "chat"),
    ]);
    const hash = documentHash(this.firstList);
    this.devices = openFirstDeviceList(this.firstList, this.key, hash);
    writeFileSync(join(this.devicesDir, GENESIS_FILE), `${Buffer.from(hash).toString("hex")}\n`);
    writeFileSync(listPath(this.devicesDir, 1), this.firstList);
  }

  signList(
    version: number,
    previous: Uint8Array,
    devices: readonly Device[],
    by: DeviceIdentity = this.admin,
  ): Uint8Array {
    const signer = by.signing.publicKey;
    const fields = { node: this.key, version, previous, issuedAt: 1, signer, devices };
    return deviceListDocument.sign(fields, by.signing.privateKey);
  }

  /** The next list, in which one device is revoked; it becomes {@link devices}, on no disk. */
  revoke(device: DeviceIdentity): Uint8Array {
    const key = Buffer.from(device.signing.publicKey);
    const devices = this.devices.devices.map((one) =>
      key.equals(one.signingKey) ? { ...one, revokedAt: 2 } : one,
    );
    const list = this.signList(this.devices.version + 1, this.devices.hash, devices);
    this.devices = openNextDeviceList(list, this.devices);
    return list;
  }

  /** A ticket for the model, or for a control session, by the chat device unless said otherwise. */
  ticket(change: Partial<Ticket> = {}, by: DeviceIdentity = this.chat): Buffer {
    const fields: Ticket = {
      node: this.key,
      device: by.signing.publicKey,
      service: "task",
      model: change.service === "control" ? NO_MODEL : MODEL,
      nonce: randomBytes(16),
      issuedAt: Date.now(),
      ...change,
    };
    return Buffer.from(ticketDocument.sign(fields, by.signing.privateKey));
  }
}

export function entry(device: DeviceIdentity, role: Device["role"], name = "device"): Device {
  const { signing, tunnel } = device;
  const keys = { signingKey: signing.publicKey, tunnelKey: tunnel.publicKey };
  return { ...keys, name, role, addedAt: 1, revokedAt: null };
}
