/**
 * phantoma devices: who may use a node. Every change is the next device list, signed by this device.
 *
 * @module
 */
import {
  deviceFingerprint,
  assertAdminStays,
  assertIsNoKit,
  assertNameIsFree,
  ClientError,
  isRecoveryKit,
  safetyWords,
  signChangedDevice,
  signRevokedDevice,
  type LastSeen,
} from "@phantoma/client";
import { activeDevice, sameBytes, type Device, type VerifiedDeviceList } from "@phantoma/crypto";
import type { Command } from "../command.ts";
import { chooseActive, described, Directory, shownName } from "../devices/directory.ts";
import { add, invite, join, roleOf } from "../devices/pair.ts";
import { saysYes } from "../devices/person.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { hex, oneLine, UsageError, write, writeJson } from "../output.ts";
import type { Peer } from "../session.ts";

const options = {
  ...commonOptions,
  name: { type: "string" },
  as: { type: "string" },
  role: { type: "string" },
  words: { type: "string" },
  yes: { type: "boolean", default: false },
} as const;

export const devices: Command = {
  usage:
    'devices [list | invite | join [CODE] [--name NAME] [--as NODE] | add [CODE] [--role admin|chat] [--name NAME] [--words "…"] | rename DEVICE NAME | role DEVICE admin|chat | revoke DEVICE | compare DEVICE]',
  summary: "who may use a node: pairs a new device, changes, revokes and compares those there are",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const home = new Home(values.home);
    const [action = "list", subject, value] = positionals;
    const { json } = values;
    if (action === "join") return join(home, subject, values);
    const peer = home.peer(values.node);
    const directory = new Directory(home, peer);
    switch (action) {
      case "list":
        return list(peer, directory, json);
      case "invite":
        return invite(home, peer, directory, { json });
      case "add": {
        const role = roleOf(values.role ?? "chat");
        return add(home, peer, directory, subject, { ...values, role });
      }
      case "rename":
        return change(peer, directory, subject, json, (current, device) => {
          const others = { devices: current.devices.filter((one) => one !== device) };
          assertNameIsFree(others, value ?? "");
          return { name: value! };
        });
      case "role":
        return change(peer, directory, subject, json, (current, device) => {
          const role = roleOf(value);
          if (role === "chat") assertAdminStays(current, device);
          return { role };
        });
      case "revoke":
        return revoke(peer, directory, subject, values);
      case "compare":
        return compare(peer, directory, subject, json);
      default:
        throw new UsageError(`devices cannot ${JSON.stringify(action)}`);
    }
  },
};

async function list(peer: Peer, directory: Directory, isJson: boolean): Promise<number> {
  const { devices: all, version } = await directory.current();
  const seen = await lastSeen(directory);
  const own = peer.device.signing.publicKey;
  const rows = all.map((device) => ({
    device,
    isThis: sameBytes(device.signingKey, own),
    hour: seen.find((one) => one.device === hex(device.signingKey))?.hour ?? null,
  }));
  if (isJson) {
    const shown = rows.map(({ device, isThis, hour }) =>
      Object.assign({}, device, {
        fingerprint: deviceFingerprint(device),
        isThis,
        seenInHour: hour,
      }),
    );
    writeJson({ version, devices: shown });
  } else for (const row of rows) write(rowText(row));
  return 0;
}

function rowText(row: { device: Device; isThis: boolean; hour: number | null }): string {
  const { device, isThis, hour } = row;
  const notes = [
    device.role,
    ...(device.revokedAt === null ? [] : ["revoked"]),
    ...(isThis ? ["this device"] : []),
    ...(isRecoveryKit(device) ? ["on no machine"] : []),
    ...(hour === null ? [] : [`seen ${new Date(hour).toISOString().slice(0, 13)}h UTC`]),
  ];
  return `${shownName(device)}  ${notes.join(", ")}\n  ${deviceFingerprint(device)}\n`;
}

/** Only an admin is told; the node forgets it when it restarts. */
async function lastSeen(directory: Directory): Promise<LastSeen> {
  try {
    return await directory.ask((session) => session.lastSeen());
  } catch (error) {
    // An older node does not know the question.
    const isUntold = ["ERR_FORBIDDEN", "ERR_INVALID_MESSAGE"];
    if (error instanceof ClientError && isUntold.includes(error.code)) return [];
    throw error;
  }
}

async function change(
  { device: admin }: Peer,
  directory: Directory,
  wanted: string | undefined,
  isJson: boolean,
  decide: (current: VerifiedDeviceList, device: Device) => Partial<Pick<Device, "name" | "role">>,
): Promise<number> {
  const current = await directory.current();
  const device = chooseActive(current, wanted);
  assertIsNoKit(device);
  const changed = decide(current, device);
  const { signingKey } = device;
  await directory.submit(signChangedDevice(admin, current, signingKey, changed, Date.now()));
  const now = { ...device, ...changed };
  if (isJson) writeJson({ changed: described(now) });
  else write(`${shownName(now)} is ${now.role}\n`);
  return 0;
}

async function revoke(
  { device: admin }: Peer,
  directory: Directory,
  wanted: string | undefined,
  { json, yes }: { json: boolean; yes: boolean },
): Promise<number> {
  const current = await directory.current();
  const revoked = chooseActive(current, wanted);
  assertAdminStays(current, revoked);
  const isThis = sameBytes(revoked.signingKey, admin.signing.publicKey);
  const question = isThis
    ? "revoke this very device? it cannot undo that"
    : `revoke ${oneLine(revoked.name)}? its sessions end`;
  if (!yes && !(await saysYes(question))) return 1;
  await directory.submit(signRevokedDevice(admin, current, revoked.signingKey, Date.now()));
  if (json) writeJson({ revoked: described(revoked) });
  else write(`revoked ${shownName(revoked)}; its sessions have ended\n`);
  return 0;
}

/** Both devices show the same, or the node shows them different keys. */
async function compare(
  { device: own }: Peer,
  directory: Directory,
  wanted: string | undefined,
  isJson: boolean,
): Promise<number> {
  const current = await directory.current();
  const other = chooseActive(current, wanted);
  const ours = { signingKey: own.signing.publicKey, tunnelKey: own.tunnel.publicKey };
  const listed = activeDevice(current, ours.signingKey);
  if (!listed || !sameBytes(listed.tunnelKey, ours.tunnelKey))
    throw new ClientError("ERR_NODE_IDENTITY", "the node's list has another key for this device");
  const { digits, words } = safetyWords(ours, other);
  if (isJson) writeJson({ device: described(other), digits, words, version: current.version });
  else
    write(
      `safety number of this device and ${shownName(other)}: the same on both, or the node lies to one\n\n${rowsOfSix(words)}\n  ${digits}\n`,
    );
  return 0;
}

/** As the console shows them: two people read them row by row. */
function rowsOfSix(words: readonly string[]): string {
  const rows: string[] = [];
  for (let from = 0; from < words.length; from += 6)
    rows.push(`  ${words.slice(from, from + 6).join(" ")}`);
  return rows.join("\n");
}
