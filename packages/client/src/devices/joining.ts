/**
 * The new device's side of a pairing: what it says of itself, and when it believes that it was taken.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  activeDevice,
  sameBytes,
  type DeviceIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { ClientError } from "../client-error.ts";
import { ControlSession } from "../control-session.ts";
import { followDeviceLists } from "./device-chain.ts";
import { assertInTime } from "./invitation-desk.ts";
import { decodeInvitation, encodePairingRequest, type Invitation } from "./pairing-codes.ts";
import { sixWords } from "./six-words.ts";

export interface Joining {
  readonly invitation: Invitation;
  /** For the admin's device. */
  readonly code: string;
  /** Nothing may be sent to the node before a person saw the same ones on the admin's device. */
  readonly words: string[];
}

/**
 * @throws {@link ClientError} `ERR_PAIRING_CODE` or `ERR_PAIRING_EXPIRED`
 */
export async function answerInvitation(
  device: DeviceIdentity,
  name: string,
  untrusted: string,
  now: number,
): Promise<Joining> {
  const invitation = decodeInvitation(untrusted);
  assertInTime(invitation.expiresAt, now);
  const keys = { signingKey: device.signing.publicKey, tunnelKey: device.tunnel.publicKey };
  const nonce = randomBytes(16);
  const code = encodePairingRequest({ id: invitation.id, nonce, ...keys, name });
  return { invitation, code, words: await sixWords(untrusted, code) };
}

/** Between two questions whether the admin's device has signed. */
const POLL_MS = 1_000;

/** Until then the node does not know this device. */
export function isNotLetIn(error: unknown): boolean {
  return (
    error instanceof ClientError &&
    ["ERR_TICKET_REFUSED", "ERR_DEVICE_REVOKED"].includes(error.code)
  );
}

/**
 * Asks the node until it lets this device in, and checks that the list is the one that was to follow.
 *
 * @throws {@link ClientError} `ERR_PAIRING_EXPIRED`, `ERR_NODE_IDENTITY`, or what hinders the connection
 */
export async function awaitEnrolment(
  device: DeviceIdentity,
  invitation: Invitation,
  signal?: AbortSignal,
): Promise<VerifiedDeviceList> {
  for (;;) {
    signal?.throwIfAborted();
    assertInTime(invitation.expiresAt, Date.now());
    try {
      return await enrolment(device, invitation);
    } catch (error) {
      if (!isNotLetIn(error)) throw error;
    }
    await sleep(POLL_MS, undefined, signal ? { signal } : {});
  }
}

async function enrolment(
  device: DeviceIdentity,
  { profile, list: before, admin }: Invitation,
): Promise<VerifiedDeviceList> {
  const session = await ControlSession.open({ profile, device });
  try {
    // From the list that the compared words stand for: whoever signed since is an admin by it.
    const { nodeKey } = profile;
    const seen = { nodeKey, version: before.version, hash: hex(before.hash) };
    const list = await followDeviceLists(session, nodeKey, seen);
    const ours = activeDevice(list, device.signing.publicKey);
    const isOurs = ours !== undefined && sameBytes(ours.tunnelKey, device.tunnel.publicKey);
    const theirs = activeDevice(list, admin.signingKey);
    const isTheirs = theirs !== undefined && sameBytes(theirs.tunnelKey, admin.tunnelKey);
    if (!isOurs || !isTheirs)
      throw new ClientError(
        "ERR_NODE_IDENTITY",
        "the node's device list is not the one that the invitation was for",
      );
    return list;
  } finally {
    session.close();
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
