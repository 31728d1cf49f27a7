/**
 * A keeper's vaults behind a link, without a tunnel: what a device and a node would say to each other, byte for byte.
 *
 * @module
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  generateDeviceIdentity,
  generateNodeIdentity,
  vaultKeysOf,
  type DeviceIdentity,
  type VerifiedDeviceList,
  openNextDeviceList,
} from "@phantoma/crypto";
import {
  controlRequestSchema,
  controlResponseSchema,
  type ControlRequest,
} from "@phantoma/protocol";
import { LocalVault, type SavedConversation } from "@phantoma/vault";
import { askVault } from "../apps/node/clerk/ask-vault.ts";
import { KeeperRefused } from "../apps/node/ipc/keeper-client.ts";
import { answerVault } from "../apps/node/keeper/vault/vault-answers.ts";
import { Vaults } from "../apps/node/keeper/vault/vaults.ts";
import { ClientError } from "../packages/client/src/client-error.ts";
import {
  describeDevice,
  signAddedDevice,
  signFirstDeviceList,
  signRevokedDevice,
} from "../packages/client/src/devices/device-lists.ts";
import { VaultLink } from "../packages/client/src/vault-link.ts";
import type { SyncOptions } from "../packages/client/src/vault-options.ts";

/** Changes what the node answers: an attacker who has the node. */
export type Tamper = (response: any, request: ControlRequest) => unknown;

export class VaultUnderTest {
  readonly dir = mkdtempSync(join(tmpdir(), "phantoma-vault-"));
  readonly node: Uint8Array;
  readonly admin: DeviceIdentity;
  list: VerifiedDeviceList;
  /** The list as signed. */
  listBytes: Uint8Array;
  vaults: Vaults;
  tamper: Tamper = (response) => response;

  constructor(
    node: Uint8Array = generateNodeIdentity().signing.publicKey,
    admin: DeviceIdentity = generateDeviceIdentity(),
  ) {
    this.node = node;
    this.admin = admin;
    const { list, verified } = signFirstDeviceList(admin, "desk", node, 1000);
    this.list = verified;
    this.listBytes = list;
    this.vaults = this.#opened();
  }

  /** As after a restart of the keeper. */
  restart(): void {
    this.vaults = this.#opened();
  }

  addDevice(name: string): DeviceIdentity {
    const device = generateDeviceIdentity();
    const added = describeDevice(device, name, "chat");
    this.#next(signAddedDevice(this.admin, this.list, added, 2000));
    return device;
  }

  revoke(device: DeviceIdentity): void {
    this.#next(signRevokedDevice(this.admin, this.list, device.signing.publicKey, 3000));
  }

  link(device: DeviceIdentity): VaultLink {
    const ask = async (kind: any, body: Uint8Array = new Uint8Array(0)) => {
      const answer = await answerVault(
        this.vaults,
        device.signing.publicKey,
        kind,
        Buffer.from(body),
      );
      if (typeof answer === "string") throw new KeeperRefused(answer);
      return Buffer.from(answer);
    };
    return new VaultLink(async (untrusted) => {
      const request = controlRequestSchema.parse(JSON.parse(JSON.stringify(untrusted)));
      try {
        const response = await askVault({ ask } as never, request as never);
        const told = this.tamper(JSON.parse(JSON.stringify(response)), request);
        return controlResponseSchema.parse(told) as never;
      } catch (error) {
        if (error instanceof KeeperRefused) throw new ClientError(error.code as never, "refused");
        throw error;
      }
    });
  }

  #opened(): Vaults {
    return new Vaults(this.dir, this.node, () => this.list);
  }

  #next(list: Uint8Array): void {
    this.list = openNextDeviceList(list, this.list);
    this.listBytes = list;
  }

  options(device: DeviceIdentity, local: LocalVault): SyncOptions {
    const { node, list: devices } = this;
    return { link: this.link(device), local, device, node, devices };
  }
}

export function openLocal(device: DeviceIdentity, path = ":memory:"): LocalVault {
  return LocalVault.open(path, vaultKeysOf(device).storeKey);
}

export function conversationOf(id: string, ...texts: string[]): SavedConversation {
  const messages = texts.map((text, i) => ({
    id: `${id.slice(0, 12)}${i.toString(16).padStart(4, "0")}`,
    parent: i === 0 ? null : `${id.slice(0, 12)}${(i - 1).toString(16).padStart(4, "0")}`,
    role: i % 2 === 0 ? ("user" as const) : ("assistant" as const),
    text,
    state: "complete" as const,
    createdAt: 1000 + i,
  }));
  const head = { id, title: texts[0]!.slice(0, 100), titledAt: 1000, model: "echo" };
  return { ...head, mode: "conversation", createdAt: 1000, messages };
}
