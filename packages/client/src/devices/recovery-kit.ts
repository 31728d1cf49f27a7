/**
 * A recovery kit: an admin's key that no machine has, and how its node is found and recognised.
 *
 *   offset  size  field (inside the passphrase's seal)
 *        0     1  2
 *        1    64  the key, as devices store theirs
 *       65     8  when it was made, ms
 *       73   2+n  the node's profile, JSON
 *        …   2+n  the device list that it is added to, as a machine remembers the newest one that it saw, JSON
 *        …   4+n  the name of the vault that it opens (16), or nothing
 *
 * Its key stands in the device list as an admin from the day it is made, and signs nothing before the kit is restored
 * (but for its card, where it is to open a vault: `kit-vault.ts`): then it signs one list, which takes the new machine in
 * and lets the lost one go.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  activeAdmin,
  exportDeviceIdentity,
  generateDeviceIdentity,
  importDeviceIdentity,
  Secret,
  type Device,
  type DeviceIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { ClientError } from "../client-error.ts";
import { ControlSession } from "../control-session.ts";
import { originOf, parseProfile, type NodeProfile } from "../node-profile.ts";
import { followSuccession } from "../succession.ts";
import { followDeviceLists } from "./device-chain.ts";
import { describeDevice, signAddedDevice, signReplacedDevices } from "./device-lists.ts";
import { assertNameIsFree, KIT_NAME } from "./device-rules.ts";
import { isNotLetIn } from "./joining.ts";
import { openWithPassphrase, sealUnderPassphrase } from "./passphrase.ts";
import {
  nextSeenDevices,
  openDeviceList,
  parseSeenDevices,
  type SeenDevices,
} from "./seen-devices.ts";

const VERSION = 2;
const CONTEXT = "phantoma recovery kit v1";
const KEY_BYTES = 64;
const HEAD_BYTES = 1 + KEY_BYTES + 8;
/** Bytes: names and keys, never what a vault holds. */
const MAX_ENCLOSED_BYTES = 65_536;
/** For how long the node's door is given to read a list that its keeper took: ten seconds, in tries. */
const MAX_TRIES = 40;
/** Milliseconds. */
const TRY_MS = 250;

export interface RecoveryKit {
  readonly identity: DeviceIdentity;
  readonly madeAt: number;
  readonly profile: NodeProfile;
  /** The node shows whoever restores it no older list, and its next key is approved by one of these admins. */
  readonly seen: SeenDevices;
  /** Which vault it opens; empty: none. */
  readonly enclosed: Secret;
}

/**
 * @param current the list that it is going to be added to
 * @param vault the name of the one that it is to open
 */
export function newKit(
  profile: NodeProfile,
  current: VerifiedDeviceList,
  now: number,
  vault: Uint8Array = Buffer.alloc(0),
): RecoveryKit {
  const seen = nextSeenDevices(undefined, current);
  const enclosed = new Secret(Buffer.from(vault));
  return { identity: generateDeviceIdentity(), madeAt: now, profile, seen, enclosed };
}

export async function sealKit(kit: RecoveryKit, passphrase: Secret): Promise<Buffer> {
  const key = exportDeviceIdentity(kit.identity);
  const [profile, seen] = [kit.profile, kit.seen].map((one) => Buffer.from(JSON.stringify(one)));
  const enclosed = kit.enclosed.expose();
  if (enclosed.length > MAX_ENCLOSED_BYTES) throw new RangeError("too much for a kit");
  const textsEnd = HEAD_BYTES + 2 + profile!.length + 2 + seen!.length;
  const plain = Buffer.alloc(textsEnd + 4 + enclosed.length);
  plain[0] = VERSION;
  plain.set(key.expose(), 1);
  plain.writeBigUInt64BE(BigInt(kit.madeAt), 1 + KEY_BYTES);
  let at = HEAD_BYTES;
  for (const text of [profile!, seen!]) {
    at = plain.writeUInt16BE(text.length, at);
    plain.set(text, at);
    at += text.length;
  }
  plain.writeUInt32BE(enclosed.length, textsEnd);
  plain.set(enclosed, textsEnd + 4);
  key.erase();
  try {
    return await sealUnderPassphrase(passphrase, CONTEXT, plain);
  } finally {
    plain.fill(0);
  }
}

/** @throws {@link ClientError} `ERR_KIT_FILE`, `ERR_KIT_VERSION` or `ERR_PASSPHRASE` */
export async function openKit(untrusted: Uint8Array, passphrase: Secret): Promise<RecoveryKit> {
  const opened = await openWithPassphrase(passphrase, CONTEXT, untrusted);
  try {
    return decodeKit(opened.expose());
  } catch (error) {
    if (error instanceof ClientError && error.code === "ERR_KIT_VERSION") throw error;
    throw new ClientError("ERR_KIT_FILE", "what is sealed in it is no kit");
  } finally {
    opened.erase();
  }
}

/**
 * A restore that is tried in memory, before the node is told of the kit: the file as it was written opens with this
 * passphrase, and gives the same key and the same node.
 *
 * @throws {@link ClientError} `ERR_KIT_FILE` or `ERR_PASSPHRASE`
 */
export async function assertOpensAgain(
  written: Uint8Array,
  passphrase: Secret,
  { identity, profile }: RecoveryKit,
): Promise<void> {
  const opened = await openKit(written, passphrase);
  opened.enclosed.erase();
  const [before, now] = [identity, opened.identity].map(({ signing, tunnel }) =>
    Buffer.concat([signing.publicKey, tunnel.publicKey]),
  );
  if (before!.equals(now!) && opened.profile.nodeKey === profile.nodeKey) return;
  throw new ClientError("ERR_KIT_FILE", "what was written is not the kit that was made");
}

function decodeKit(plain: Buffer): RecoveryKit {
  if (plain[0] !== VERSION)
    throw new ClientError("ERR_KIT_VERSION", "it is a kit of another version of Phantoma");
  const key = new Secret(Buffer.from(plain.subarray(1, 1 + KEY_BYTES)));
  const profileEnd = HEAD_BYTES + 2 + plain.readUInt16BE(HEAD_BYTES);
  const textsEnd = profileEnd + 2 + plain.readUInt16BE(profileEnd);
  if (textsEnd + 4 + plain.readUInt32BE(textsEnd) !== plain.length) throw new RangeError("length");
  const profile = parseProfile(plain.toString("utf8", HEAD_BYTES + 2, profileEnd));
  const seen = parseSeenDevices(plain.toString("utf8", profileEnd + 2, textsEnd));
  if (seen.nodeKey !== profile.nodeKey) throw new RangeError("another node's list");
  try {
    return {
      identity: importDeviceIdentity(key),
      madeAt: Number(plain.readBigUInt64BE(1 + KEY_BYTES)),
      profile,
      seen,
      enclosed: new Secret(Buffer.from(plain.subarray(textsEnd + 4))),
    };
  } finally {
    key.erase();
  }
}

/** The list that makes a kit worth something: its key becomes an admin's. */
export function addKit(
  admin: DeviceIdentity,
  current: VerifiedDeviceList,
  kit: RecoveryKit,
  now: number,
): Uint8Array {
  return signAddedDevice(admin, current, describeDevice(kit.identity, kitName(kit), "admin"), now);
}

/**
 * What would become of a restore: good · revoked: the node would not take its signature · aged: made before the node's
 * key, which it follows only where an admin whom it knows approved that · other: another node's.
 */
export type KitStanding = "good" | "revoked" | "aged" | "other";

/** @param current the list in force at the node of `profile` */
export function standingOf(
  kit: RecoveryKit,
  profile: NodeProfile,
  current: VerifiedDeviceList,
): KitStanding {
  if (originOf(kit.profile) !== originOf(profile)) return "other";
  if (!activeAdmin(current, kit.identity.signing.publicKey)) return "revoked";
  return kit.profile.nodeKey === profile.nodeKey ? "good" : "aged";
}

/** What it is called in the list: kits of one day differ by their time. */
export function kitName({ madeAt }: Pick<RecoveryKit, "madeAt">): string {
  return `${KIT_NAME} ${new Date(madeAt).toISOString().slice(0, 19).replace("T", " ")}`;
}

/**
 * On a new machine: takes it in as an admin, and lets the lost ones go, in one list. Returns when the node lets the
 * new machine in.
 *
 * @param chooseLost given the list, names what is lost; the kit itself is not asked about
 * @throws {@link ClientError} `ERR_DEVICE_REVOKED` or `ERR_TICKET_REFUSED` when the kit was revoked meanwhile
 */
export async function restoreFromKit(
  kit: RecoveryKit,
  device: DeviceIdentity,
  name: string,
  chooseLost: (devices: readonly Device[]) => Promise<readonly Device[]>,
  now: () => number = Date.now,
): Promise<{
  readonly list: VerifiedDeviceList;
  readonly lost: readonly Device[];
  /** The kit's, under the key that the node has now. */
  readonly profile: NodeProfile;
}> {
  const { identity } = kit;
  const { session, current } = await openAsKit(kit);
  const { profile } = session;
  try {
    if (!activeAdmin(current, identity.signing.publicKey))
      throw new ClientError("ERR_FORBIDDEN", "this kit is no admin of its node any more");
    const others = current.devices.filter((d) => d.revokedAt === null && d.name !== kitName(kit));
    const lost = await chooseLost(others);
    const left = { devices: current.devices.filter((d) => !lost.includes(d)) };
    assertNameIsFree(left, name);
    const keys = lost.map(({ signingKey }) => signingKey);
    const added = describeDevice(device, name, "admin");
    const next = signReplacedDevices(identity, current, added, keys, now());
    await session.submitDeviceList(next);
    // The list counts whether we see that or not.
    (await openWhenLetIn(profile, device).catch(() => undefined))?.close();
    return { list: openDeviceList(next, profile.nodeKey), lost, profile };
  } finally {
    session.close();
  }
}

/**
 * With the kit's own key, and the list in force, followed from the one that the kit was added to.
 *
 * @throws {@link ClientError} `ERR_NODE_IDENTITY` when the node went back, or has a next key by an admin of after the kit
 */
export async function openAsKit({ identity: device, ...kit }: RecoveryKit): Promise<{
  readonly session: ControlSession;
  readonly current: VerifiedDeviceList;
}> {
  let known: Pick<RecoveryKit, "profile" | "seen"> = kit;
  const follow = (untrusted: Uint8Array) => {
    known = followSuccession(known.profile, untrusted, known.seen);
    return known.profile;
  };
  const session = await ControlSession.open({ profile: kit.profile, device, follow });
  try {
    const { seen } = known;
    return { session, current: await followDeviceLists(session, seen.nodeKey, seen) };
  } catch (error) {
    session.close();
    throw error;
  }
}

/** The node's door reads a list a moment after its keeper took it. */
export async function openWhenLetIn(
  profile: NodeProfile,
  device: DeviceIdentity,
): Promise<ControlSession> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ControlSession.open({ profile, device });
    } catch (error) {
      if (tries === MAX_TRIES || !isNotLetIn(error)) throw error;
      await sleep(TRY_MS);
    }
  }
}
