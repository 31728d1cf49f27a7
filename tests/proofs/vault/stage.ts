/**
 * A real node and devices with a store each.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ControlSession,
  describeDevice,
  signAddedDevice,
  signRevokedDevice,
  syncVault,
  type SyncOptions,
  type VaultLink,
} from "@phantoma/client";
import {
  generateDeviceIdentity,
  openNextDeviceList,
  vaultKeysOf,
  type DeviceIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { LocalVault, type SavedConversation } from "@phantoma/vault";
import { startNode, type NodeUnderTest } from "../../node-under-test.ts";

export interface DeviceOnStage {
  readonly name: string;
  readonly identity: DeviceIdentity;
  readonly storeDir: string;
  readonly local: LocalVault;
}

export interface Stage {
  readonly canary: string;
  readonly underTest: NodeUnderTest;
  readonly desk: DeviceOnStage;
  /** Where the vaults of the node lie. */
  readonly vaultsDir: string;
  add(name: string): Promise<DeviceOnStage>;
  revoke(device: DeviceOnStage): Promise<void>;
  connect(device: DeviceOnStage): Promise<ControlSession>;
  options(device: DeviceOnStage, link: VaultLink): SyncOptions;
  sync(device: DeviceOnStage, more?: Partial<SyncOptions>): ReturnType<typeof syncVault>;
  end(): Promise<void>;
}

export async function startStage(canary: string): Promise<Stage> {
  const underTest = await startNode({ models: ["echo"] });
  const { node, device: admin, dir } = underTest;
  const nodeKey = new Uint8Array(Buffer.from(node.profile.nodeKey, "hex"));
  let devices: VerifiedDeviceList = node.devices;
  const all: DeviceOnStage[] = [];

  const placed = (name: string, identity: DeviceIdentity): DeviceOnStage => {
    const storeDir = mkdtempSync(join(tmpdir(), `phantoma-proof-${name}-`));
    const { storeKey } = vaultKeysOf(identity);
    const local = LocalVault.open(join(storeDir, "vault.sqlite"), storeKey);
    const device = { name, identity, storeDir, local };
    all.push(device);
    return device;
  };
  const connect = (device: DeviceOnStage) =>
    ControlSession.open({ profile: node.profile, device: device.identity });
  const submit = async (list: Uint8Array) => {
    const session = await connect(desk);
    await session.submitDeviceList(list).finally(() => session.close());
    devices = openNextDeviceList(list, devices);
  };
  const options = (device: DeviceOnStage, link: VaultLink): SyncOptions => {
    return { link, local: device.local, device: device.identity, node: nodeKey, devices };
  };
  const desk = placed("desk", admin);

  return {
    canary,
    underTest,
    desk,
    vaultsDir: join(dir, "state", "keeper", "vaults"),
    async add(name) {
      const identity = generateDeviceIdentity();
      const added = describeDevice(identity, name, "chat");
      await submit(signAddedDevice(admin, devices, added, Date.now()));
      const device = placed(name, identity);
      await untilLetIn(() => connect(device));
      return device;
    },
    async revoke(device) {
      const key = device.identity.signing.publicKey;
      await submit(signRevokedDevice(admin, devices, key, Date.now()));
    },
    connect,
    options,
    async sync(device, more) {
      const session = await connect(device);
      const asked = { ...options(device, session.vault), ...more };
      return syncVault(asked).finally(() => session.close());
    },
    async end() {
      for (const { local, storeDir } of all) {
        local.close();
        rmSync(storeDir, { recursive: true });
      }
      await node.stop();
    },
  };
}

/** The gateway hears of a new list from the folder that it watches: a moment later. */
async function untilLetIn(connect: () => Promise<ControlSession>): Promise<void> {
  for (const deadline = Date.now() + LET_IN_MS; ;) {
    try {
      (await connect()).close();
      return;
    } catch (error) {
      const isEarly = (error as { code?: string }).code === "ERR_TICKET_REFUSED";
      if (!isEarly || Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

/** On a machine that is busy. */
const LET_IN_MS = 10_000;

let count = 0;

/** One of its own, each time. */
export function newConversation(canary: string): SavedConversation {
  count += 1;
  const at = 1_790_000_000_000;
  const [question, answer] = [randomName(), randomName()];
  const ended = { state: "complete" } as const;
  return {
    id: randomName(),
    title: `about ${canary}`,
    titledAt: at,
    model: "echo",
    mode: "conversation",
    createdAt: at,
    messages: [
      {
        id: question,
        parent: null,
        role: "user",
        text: `${count} ${canary}`,
        ...ended,
        createdAt: at,
      },
      {
        id: answer,
        parent: question,
        role: "assistant",
        text: canary,
        ...ended,
        createdAt: at + 1,
      },
    ],
  };
}

/** With one more message at its end. */
export function continued(conversation: SavedConversation, text: string): SavedConversation {
  const last = conversation.messages.at(-1)!;
  const id = randomName();
  const createdAt = last.createdAt + 1;
  return {
    ...conversation,
    messages: [
      ...conversation.messages,
      { id, parent: last.id, role: "user", text, state: "complete", createdAt },
    ],
  };
}

function randomName(): string {
  return randomBytes(8).toString("hex");
}
