/**
 * phantoma devices: who may use a node; add and revoke, signed by this device.
 *
 * @module
 */
import { ClientError, signAddedDevice, signRevokedDevice } from "@phantoma/client";
import {
  deviceListDocument,
  documentHash,
  fingerprint,
  type Device,
  type DeviceIdentity,
  type DeviceList,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { hex, oneLine, UsageError, write, writeJson } from "../output.ts";
import { nextSeenDevices } from "../seen-devices.ts";
import { withControl, type Peer } from "../session.ts";

const options = { ...commonOptions, name: { type: "string" }, role: { type: "string" } } as const;

export const devices: Command = {
  usage: "devices [show-own | add KEYS --name NAME [--role admin|chat] | revoke NAME|SIGNING-KEY]",
  summary: "lists devices; show-own prints this device's public keys for another to add",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const home = new Home(values.home);
    const [action = "list", subject] = positionals;
    const device = home.device();
    if (action === "show-own") return showOwn(device, values.json);
    const peer = { profile: home.node(values.node), device };
    switch (action) {
      case "list":
        return list(await currentList(home, peer), values.json);
      case "add": {
        const added = parseNewDevice(subject, values.name, values.role ?? "chat");
        const current = await currentList(home, peer);
        assertNameIsFree(current, added.name);
        await submit(home, peer, signAddedDevice(device, current, added, Date.now()));
        if (values.json) writeJson({ added: described(added) });
        else
          write(
            `added ${oneLine(added.name)}; compare its fingerprint: ${deviceFingerprint(added)}\n`,
          );
        return 0;
      }
      case "revoke": {
        const current = await currentList(home, peer);
        const revoked = chooseActive(current, subject);
        const next = signRevokedDevice(device, current, revoked.signingKey, Date.now());
        await submit(home, peer, next);
        if (values.json) writeJson({ revoked: described(revoked) });
        else write(`revoked ${oneLine(revoked.name)}; its sessions have ended\n`);
        return 0;
      }
      default:
        throw new UsageError(`devices cannot ${JSON.stringify(action)}`);
    }
  },
};

/** Of both public keys: a device whose tunnel key alone was swapped shows another one. */
export function deviceFingerprint({
  signingKey,
  tunnelKey,
}: Pick<Device, "signingKey" | "tunnelKey">): string {
  return fingerprint(Buffer.concat([signingKey, tunnelKey]));
}

/**
 * Two devices that look the same in a list could not be told apart when one must be revoked.
 *
 * @throws {@link UsageError}
 */
export function assertNameIsFree({ devices: all }: Pick<DeviceList, "devices">, name: string) {
  if (all.some((d) => d.revokedAt === null && oneLine(d.name) === oneLine(name)))
    throw new UsageError(`a device is already named ${JSON.stringify(name)}`);
}

/**
 * The one active device of this name or of this signing key in hex.
 *
 * @throws {@link UsageError} for none, and for more than one
 */
export function chooseActive(
  { devices: all }: Pick<DeviceList, "devices">,
  wanted: string | undefined,
): Device {
  const found = all.filter(
    (d) => d.revokedAt === null && (d.name === wanted || hex(d.signingKey) === wanted),
  );
  const [device, ...others] = found;
  if (!device) throw new UsageError(`no device is named ${JSON.stringify(wanted ?? "")}`);
  if (others.length === 0) return device;
  const keys = found.map((d) => `  ${hex(d.signingKey)}  ${deviceFingerprint(d)}`);
  throw new UsageError(
    `${JSON.stringify(wanted)} names several devices; name one by its signing key:\n${keys.join("\n")}`,
  );
}

/** Both public keys as one word of 128 hex digits. */
function showOwn({ signing, tunnel }: DeviceIdentity, isJson: boolean): number {
  const own = { signingKey: signing.publicKey, tunnelKey: tunnel.publicKey };
  const keys = hex(own.signingKey) + hex(own.tunnelKey);
  if (isJson) writeJson({ keys, fingerprint: deviceFingerprint(own) });
  else write(`${keys}\nfingerprint ${deviceFingerprint(own)}\n`);
  return 0;
}

function list({ devices: all, version }: VerifiedDeviceList, isJson: boolean): number {
  if (isJson)
    writeJson({
      version,
      devices: all.map((d) => Object.assign({}, d, { fingerprint: deviceFingerprint(d) })),
    });
  else
    for (const device of all)
      write(
        `${oneLine(device.name)}  ${device.role}${device.revokedAt === null ? "" : "  revoked"}\n  ${deviceFingerprint(device)}\n`,
      );
  return 0;
}

function parseNewDevice(keys: string | undefined, name: string | undefined, role: string) {
  if (!/^[0-9a-f]{128}$/.test(keys ?? "")) throw new UsageError("KEYS are 128 hex digits");
  if (!name) throw new UsageError("a device needs a --name");
  if (role !== "admin" && role !== "chat") throw new UsageError("--role is admin or chat");
  const bytes = Buffer.from(keys!, "hex");
  return { signingKey: bytes.subarray(0, 32), tunnelKey: bytes.subarray(32), name, role } as const;
}

function described({
  name,
  role,
  signingKey,
  tunnelKey,
}: Pick<Device, "name" | "role" | "signingKey" | "tunnelKey">) {
  return { name, role, signingKey, fingerprint: deviceFingerprint({ signingKey, tunnelKey }) };
}

/**
 * The node's current list. It came over the node's own authenticated tunnel, a list signed on top of
 * a false one would not continue the true chain, and it is at least the newest this machine has seen.
 */
export async function currentList(home: Home, peer: Peer): Promise<VerifiedDeviceList> {
  const document = await withControl(peer, (session) => session.deviceList());
  return remember(home, peer, document);
}

async function submit(home: Home, peer: Peer, next: Uint8Array): Promise<void> {
  await withControl(peer, (session) => session.submitDeviceList(next));
  // The node has accepted it: from now on it cannot show the one before.
  remember(home, peer, next);
}

function remember(home: Home, peer: Peer, document: Uint8Array): VerifiedDeviceList {
  const { name, nodeKey } = peer.profile;
  const opened = deviceListDocument.open(document, (unverified) => unverified.signer);
  if (hex(opened.node) !== nodeKey)
    throw new ClientError("ERR_NODE_IDENTITY", "the device list is another node's");
  const current = { ...opened, hash: documentHash(document) };
  home.saveSeenDevices(name, nextSeenDevices(home.seenDevices(name), current));
  return current;
}
