/**
 * The devices of a node, as the page asks for them: every change is the next list, signed here.
 *
 *   HOME/nodes/KEY.seen   0600, the newest device list of a node that was seen here: it may not go back
 *
 * @module
 */
import {
  afterTry,
  assertAdminStays,
  assertIsNoKit,
  assertNameIsFree,
  ClientError,
  followDeviceLists,
  isRecoveryKit,
  makeInvitation,
  nextSeenDevices,
  openDeviceList,
  parseSeenDevices,
  qrRows,
  safetyWords,
  signAddedDevice,
  signChangedDevice,
  signRevokedDevice,
  spent,
  takeRequest,
  type HeldInvitation,
  type LastSeen,
  type SeenDevices,
  deviceFingerprint,
  type PairingRequest,
} from "@phantoma/client";
import {
  activeDevice,
  sameBytes,
  type Device,
  type DeviceIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import type { NodeView } from "../ipc/node.ts";
import type { AskedView, CodeView, DevicesView, SafetyView } from "../ipc/devices.ts";
import { DesktopError } from "./desktop-error.ts";
import { seenPath, type NodeBook } from "./node-book.ts";
import type { LiveControl } from "./node-client.ts";
import { readIfPresent, writePrivate } from "./private-file.ts";

export interface DeviceDeskOptions {
  readonly homeDir: string;
  readonly book: NodeBook;
  readonly device: DeviceIdentity;
}

/** Signs the next list on top of the one that the node has now. */
export type Signing = (current: VerifiedDeviceList, admin: DeviceIdentity) => Uint8Array;

interface Pairing {
  held: HeldInvitation;
  /** What was looked at last, and waits for a person's word. */
  asked?: PairingRequest;
}

export class DeviceDesk {
  readonly #options: DeviceDeskOptions;
  /** One invitation for each node. */
  readonly #pairings = new Map<string, Pairing>();

  constructor(options: DeviceDeskOptions) {
    this.#options = options;
  }

  async list(node: string): Promise<DevicesView> {
    return this.#ask(node, async (control) =>
      this.#view(await this.current(node, control), control),
    );
  }

  async invite(node: string): Promise<CodeView> {
    const { book, device } = this.#options;
    const current = await this.read(node);
    // After it: the node may have changed its key.
    const held = makeInvitation(device, book.usable(node), current, Date.now());
    this.#pairings.set(node, { held });
    return { text: held.code, rows: qrRows(held.code), expiresAt: held.expiresAt };
  }

  /** The try is counted before the code is looked at. */
  async look(node: string, code: string): Promise<AskedView> {
    const pairing = this.#pairings.get(node);
    const held = pairing?.held;
    const tried = held && { held: afterTry(held) };
    if (tried) this.#pairings.set(node, tried);
    const { request, words } = await takeRequest(held, code, Date.now());
    // Meanwhile a person may have refused, or made another invitation, or looked at another code.
    if (!tried || this.#pairings.get(node) !== tried)
      throw new DesktopError(
        "ERR_NOT_BEGUN",
        "the invitation changed while its code was looked at",
      );
    this.#pairings.set(node, { ...tried, asked: request });
    return { name: request.name, words };
  }

  async add(node: string, name: string, role: Device["role"]): Promise<DevicesView> {
    const pairing = this.#pairings.get(node);
    if (!pairing?.asked) throw new DesktopError("ERR_NOT_BEGUN", "no device's code was looked at");
    const { signingKey, tunnelKey } = pairing.asked;
    const view = await this.sign(node, (current, admin) => {
      assertNameIsFree(current, name);
      return signAddedDevice(admin, current, { signingKey, tunnelKey, name, role }, Date.now());
    });
    this.#pairings.set(node, { held: spent(pairing.held) });
    return view;
  }

  refuse(node: string): void {
    this.#pairings.delete(node);
  }

  rename(node: string, id: string, name: string): Promise<DevicesView> {
    return this.sign(node, (current, admin) => {
      const device = chosen(current, id);
      assertIsNoKit(device);
      const { signingKey } = device;
      const others = current.devices.filter((one) => !sameBytes(one.signingKey, signingKey));
      assertNameIsFree({ devices: others }, name);
      return signChangedDevice(admin, current, signingKey, { name }, Date.now());
    });
  }

  setRole(node: string, id: string, role: Device["role"]): Promise<DevicesView> {
    return this.sign(node, (current, admin) => {
      const device = chosen(current, id);
      assertIsNoKit(device);
      if (role === "chat") assertAdminStays(current, device);
      return signChangedDevice(admin, current, device.signingKey, { role }, Date.now());
    });
  }

  revoke(node: string, id: string): Promise<DevicesView> {
    return this.sign(node, (current, admin) => {
      const device = chosen(current, id);
      assertAdminStays(current, device);
      return signRevokedDevice(admin, current, device.signingKey, Date.now());
    });
  }

  async compare(node: string, id: string): Promise<SafetyView> {
    const { signing, tunnel } = this.#options.device;
    const current = await this.read(node);
    return safetyWords(
      { signingKey: signing.publicKey, tunnelKey: tunnel.publicKey },
      chosen(current, id),
    );
  }

  /** Nothing of it is sent when the signing refuses. */
  sign(node: string, signing: Signing): Promise<DevicesView> {
    const { device } = this.#options;
    return this.#ask(node, async (control) => {
      const next = signing(await this.current(node, control), device);
      await control.submitDeviceList(next);
      return this.#view(this.remember(openDeviceList(next, this.#keyOf(node))), control);
    });
  }

  /**
   * What the node's list lets this device do, so that the page offers no more: a hint, for the node decides itself, and
   * so does its warden.
   */
  async role(node: string, control: LiveControl): Promise<NodeView["role"]> {
    const list = await this.current(node, control);
    return activeDevice(list, this.#options.device.signing.publicKey)?.role ?? null;
  }

  /** The node's list, over a session of its own. @throws as {@link current} */
  read(node: string): Promise<VerifiedDeviceList> {
    return this.#ask(node, (control) => this.current(node, control));
  }

  /**
   * The node's list, followed from the one that was seen here last.
   *
   * @throws {@link ClientError} `ERR_NODE_IDENTITY` when it does not continue that one
   */
  async current(node: string, control: LiveControl): Promise<VerifiedDeviceList> {
    const key = this.#keyOf(node);
    for (;;) {
      const before = this.#seen(key);
      const list = await followDeviceLists(control, key, before);
      // Otherwise a newer one was signed or followed here while the node answered, and it is asked again.
      if (this.#seen(key)?.hash === before?.hash) return this.remember(list);
    }
  }

  /**
   * A list that was followed, or signed here, or that a pairing or a kit came with.
   *
   * @throws {@link ClientError} `ERR_NODE_IDENTITY` when the node went back
   */
  remember(current: VerifiedDeviceList): VerifiedDeviceList {
    const node = hex(current.node);
    const before = this.#seen(node);
    const next = nextSeenDevices(before, current);
    if (next.hash !== before?.hash)
      writePrivate(seenPath(this.#options.homeDir, node), JSON.stringify(next));
    return current;
  }

  #seen(nodeKey: string): SeenDevices | undefined {
    const stored = readIfPresent(seenPath(this.#options.homeDir, nodeKey));
    return stored && parseSeenDevices(stored.toString("utf8"));
  }

  /** That it has now. */
  #keyOf(node: string): string {
    return this.#options.book.keyOf(node);
  }

  #ask<T>(node: string, question: (control: LiveControl) => Promise<T>): Promise<T> {
    this.#options.book.usable(node);
    return this.#options.book.ask(node, question);
  }

  async #view(list: VerifiedDeviceList, control: LiveControl): Promise<DevicesView> {
    const seen = await lastSeen(control);
    const own = this.#options.device.signing.publicKey;
    const devices = list.devices.map((device) => {
      const id = hex(device.signingKey);
      const { name, role, addedAt, revokedAt } = device;
      return {
        id,
        name,
        role,
        addedAt,
        revokedAt,
        isThis: sameBytes(device.signingKey, own),
        isKit: isRecoveryKit(device),
        seenHour: seen.find((one) => one.device === id)?.hour ?? null,
        fingerprint: deviceFingerprint(device),
      };
    });
    return { version: list.version, devices };
  }
}

/** Only an admin is told, and the answer to having just lost that role is nothing. */
async function lastSeen(control: LiveControl): Promise<LastSeen> {
  try {
    return await control.lastSeen();
  } catch {
    // It only adorns the list, which was given.
    return [];
  }
}

function chosen({ devices }: VerifiedDeviceList, id: string): Device {
  const found = devices.find((d) => d.revokedAt === null && hex(d.signingKey) === id);
  if (!found)
    throw new ClientError("ERR_DEVICE_UNKNOWN", "this device is not in the list any more");
  return found;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
