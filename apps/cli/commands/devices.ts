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
  type DeviceIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { hex, printable, UsageError, write, writeJson } from "../output.ts";
import { withControl, type Peer } from "../session.ts";

const options = { ...commonOptions, name: { type: "string" }, role: { type: "string" } } as const;

export const devices: Command = {
  usage: "devices [show-own | add KEYS --name NAME [--role admin|chat] | revoke NAME]",
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
        return list(await currentList(peer), values.json);
      case "add":
        return add(peer, subject, values.name, values.role ?? "chat");
      case "revoke":
        return revoke(peer, subject);
      default:
        throw new UsageError(`devices cannot ${JSON.stringify(action)}`);
    }
  },
};

/** Both public keys as one word of 128 hex digits. */
function showOwn({ signing, tunnel }: DeviceIdentity, isJson: boolean): number {
  const keys = hex(signing.publicKey) + hex(tunnel.publicKey);
  if (isJson) writeJson({ keys, fingerprint: fingerprint(signing.publicKey) });
  else write(`${keys}\nfingerprint ${fingerprint(signing.publicKey)}\n`);
  return 0;
}

function list({ devices: all, version }: VerifiedDeviceList, isJson: boolean): number {
  if (isJson) writeJson({ version, devices: all });
  else
    for (const { name, role, signingKey, revokedAt } of all)
      write(
        `${printable(name)}  ${role}${revokedAt === null ? "" : "  revoked"}\n  ${fingerprint(signingKey)}\n`,
      );
  return 0;
}

async function add(peer: Peer, keys: string | undefined, name: string | undefined, role: string) {
  if (!/^[0-9a-f]{128}$/.test(keys ?? "")) throw new UsageError("KEYS are 128 hex digits");
  if (!name) throw new UsageError("a device needs a --name");
  if (role !== "admin" && role !== "chat") throw new UsageError("--role is admin or chat");
  const bytes = Buffer.from(keys!, "hex");
  const added = {
    signingKey: bytes.subarray(0, 32),
    tunnelKey: bytes.subarray(32),
    name,
    role,
  } as const;
  const next = signAddedDevice(peer.device, await currentList(peer), added, Date.now());
  await withControl(peer, (session) => session.submitDeviceList(next));
  write(`added ${printable(name)}; compare its fingerprint: ${fingerprint(added.signingKey)}\n`);
  return 0;
}

async function revoke(peer: Peer, name: string | undefined): Promise<number> {
  const current = await currentList(peer);
  const device = current.devices.find((d) => d.name === name && d.revokedAt === null);
  if (!device) throw new UsageError(`no device is named ${JSON.stringify(name ?? "")}`);
  const next = signRevokedDevice(peer.device, current, device.signingKey, Date.now());
  await withControl(peer, (session) => session.submitDeviceList(next));
  write(`revoked ${printable(device.name)}; its sessions have ended\n`);
  return 0;
}

/**
 * The node's current list. It came over the node's own authenticated tunnel, and a list signed on top
 * of a false one would not continue the true chain, so gateway and keeper would refuse it.
 */
async function currentList(peer: Peer): Promise<VerifiedDeviceList> {
  const document = await withControl(peer, (session) => session.deviceList());
  const current = deviceListDocument.open(document, (unverified) => unverified.signer);
  if (hex(current.node) !== peer.profile.nodeKey)
    throw new ClientError("ERR_NODE_IDENTITY", "the device list is another node's");
  return { ...current, hash: documentHash(document) };
}
