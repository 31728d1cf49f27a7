/**
 * The device list of one node as this machine reads and changes it, and what it remembers of it.
 *
 * @module
 */
import {
  deviceFingerprint,
  ClientError,
  followDeviceLists,
  nextSeenDevices,
  openDeviceList,
  type ControlSession,
} from "@phantoma/client";
import type { Device, DeviceList, VerifiedDeviceList } from "@phantoma/crypto";
import type { Home } from "../home.ts";
import { hex, oneLine, UsageError } from "../output.ts";
import { withControl, type Peer } from "../session.ts";

export class Directory {
  readonly #home: Home;
  readonly #peer: Peer;

  constructor(home: Home, peer: Peer) {
    this.#home = home;
    this.#peer = peer;
  }

  /** The node's current list: at least the newest this machine has seen. */
  current(): Promise<VerifiedDeviceList> {
    return this.ask((session) => this.follow(session));
  }

  /** The same by a session that is open. @throws {@link ClientError} `ERR_NODE_IDENTITY` */
  async follow(
    session: Pick<ControlSession, "deviceList" | "deviceListsAfter">,
  ): Promise<VerifiedDeviceList> {
    // Under the key that it has now: opening the session may have followed it.
    const { name, nodeKey } = this.#peer.profile;
    const seen = this.#home.seenDevices(name);
    return this.#remember(await followDeviceLists(session, nodeKey, seen));
  }

  /** Hands the next list in. The node has accepted it then: it cannot show the one before any more. */
  async submit(next: Uint8Array): Promise<void> {
    await this.ask((session) => session.submitDeviceList(next));
    this.#remember(openDeviceList(next, this.#peer.profile.nodeKey));
  }

  ask<T>(question: (session: ControlSession) => Promise<T>): Promise<T> {
    return withControl(this.#peer, question);
  }

  #remember(current: VerifiedDeviceList): VerifiedDeviceList {
    const { name } = this.#peer.profile;
    this.#home.saveSeenDevices(name, nextSeenDevices(this.#home.seenDevices(name), current));
    return current;
  }
}

/**
 * The one active device of this name or of this signing key in hex.
 *
 * @throws {@link ClientError} `ERR_DEVICE_UNKNOWN` for none; {@link UsageError} for more than one
 */
export function chooseActive(
  { devices: all }: Pick<DeviceList, "devices">,
  wanted: string | undefined,
): Device {
  const found = all.filter(
    (d) => d.revokedAt === null && (d.name === wanted || hex(d.signingKey) === wanted),
  );
  const [device, ...others] = found;
  if (!device)
    throw new ClientError(
      "ERR_DEVICE_UNKNOWN",
      `no device is named ${JSON.stringify(wanted ?? "")}`,
    );
  if (others.length === 0) return device;
  const keys = found.map((d) => `  ${hex(d.signingKey)}  ${deviceFingerprint(d)}`);
  throw new UsageError(
    `${JSON.stringify(wanted)} names several devices; name one by its signing key:\n${keys.join("\n")}`,
  );
}

export function described({
  name,
  role,
  signingKey,
  tunnelKey,
}: Omit<Device, "addedAt" | "revokedAt">) {
  return { name, role, signingKey, fingerprint: deviceFingerprint({ signingKey, tunnelKey }) };
}

export function shownName({ name }: Pick<Device, "name">): string {
  return oneLine(name);
}
