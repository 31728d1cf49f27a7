/**
 * False lists: replayed, rolled back, forked, of a stranger; refused by the node, and by a device that is shown one.
 *
 * @module
 */
import {
  ControlSession,
  describeDevice,
  nextSeenDevices,
  openDeviceList,
  signAddedDevice,
  signChangedDevice,
  signRevokedDevice,
  type LocalNode,
} from "@phantoma/client";
import {
  deviceListDocument,
  generateDeviceIdentity,
  sameBytes,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import type { Proof } from "../../proof.ts";
import type { Machine } from "./machine.ts";
import { current } from "./pairing.ts";
import { refusalOf } from "./roles.ts";

export async function showLists(proof: Proof, node: LocalNode, desk: Machine): Promise<void> {
  const { profile } = node;
  const admin = desk.device;
  const session = await ControlSession.open({ profile, device: admin });
  try {
    const older = await session.deviceList();
    const before = openDeviceList(older, profile.nodeKey);
    const second = describeDevice(generateDeviceIdentity(), "tablet", "chat");
    const added = signAddedDevice(admin, before, second, Date.now());
    const fork = signChangedDevice(
      admin,
      before,
      admin.signing.publicKey,
      { name: "fork" },
      Date.now(),
    );
    await session.submitDeviceList(added);
    const now = openDeviceList(added, profile.nodeKey);
    const stranger = generateDeviceIdentity();
    const forged = { ...now, version: now.version + 1, previous: now.hash };
    const { privateKey } = admin.signing;
    const gone = now.devices.filter(({ name }) => name !== "tablet");
    const attacks: Record<string, Uint8Array> = {
      "the same list again": added,
      "the list before it": older,
      "another list of the same version": fork,
      "a list that a stranger signed": signChangedDevice(
        stranger,
        now,
        second.signingKey,
        { role: "admin" },
        Date.now(),
      ),
      "a version that skips one": deviceListDocument.sign(
        { ...forged, version: now.version + 2 },
        privateKey,
      ),
      "a list that follows another one": deviceListDocument.sign(
        { ...forged, previous: before.hash },
        privateKey,
      ),
      "a device that vanishes without being revoked": deviceListDocument.sign(
        { ...forged, devices: gone },
        privateKey,
      ),
      "a revocation that is undone": undone(now, privateKey),
      "a list without an admin": signRevokedDevice(admin, now, admin.signing.publicKey, Date.now()),
      "one bit of a genuine next list": flipped(
        signRevokedDevice(admin, now, second.signingKey, Date.now()),
      ),
    };
    for (const [name, list] of Object.entries(attacks)) {
      const code = await refusalOf(session.submitDeviceList(list));
      const still = await current(node, desk);
      proof.row({
        name: `refused by the node: ${name}`,
        holds: code === "ERR_DOCUMENT_REFUSED" && sameBytes(still.hash, now.hash),
        detail: `${code}; list ${still.version} stays`,
      });
    }
    showToDevice(proof, before, openDeviceList(fork, profile.nodeKey), now);
    const good = signRevokedDevice(admin, now, second.signingKey, Date.now());
    const code = await refusalOf(session.submitDeviceList(good));
    proof.control("the next list without a fault is taken", code === "none", code);
  } finally {
    session.close();
  }
}

/** A node that was taken over can show what it likes; a device remembers what it saw. */
function showToDevice(
  proof: Proof,
  older: VerifiedDeviceList,
  fork: VerifiedDeviceList,
  now: VerifiedDeviceList,
): void {
  const seen = nextSeenDevices(undefined, now);
  for (const [name, list] of [
    ["an older list", older],
    ["another list of the same version", fork],
  ] as const) {
    let code = "none";
    try {
      nextSeenDevices(seen, list);
    } catch (error) {
      code = (error as { code: string }).code;
    }
    proof.row({
      name: `refused by a device: ${name}`,
      holds: code === "ERR_NODE_IDENTITY",
      detail: code,
    });
  }
}

function undone(
  now: VerifiedDeviceList,
  privateKey: Parameters<typeof deviceListDocument.sign>[1],
) {
  const devices = now.devices.map((device) => Object.assign({}, device, { revokedAt: null }));
  const next = { ...now, version: now.version + 1, previous: now.hash, devices };
  return deviceListDocument.sign(next, privateKey);
}

function flipped(list: Uint8Array): Uint8Array {
  const changed = Buffer.from(list);
  changed[changed.length >> 1]! ^= 1;
  return changed;
}
