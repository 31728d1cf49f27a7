/**
 * An admin's side of a pairing: one invitation at a time, for ten minutes, one device and five tries.
 *
 *   open ──request──> compared by people ──yes──> signed, over
 *     └── time, five tries, or "the words differ" ──> over
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { sameBytes, type DeviceIdentity, type VerifiedDeviceList } from "@phantoma/crypto";
import { ClientError } from "../client-error.ts";
import type { NodeProfile } from "../node-profile.ts";
import {
  decodeInvitation,
  decodePairingRequest,
  encodeInvitation,
  PAIRING_ID_BYTES,
  type PairingRequest,
} from "./pairing-codes.ts";
import { sixWords } from "./six-words.ts";

/** Ten minutes: time to walk to the other machine, none to search for keys. */
export const INVITATION_LIFETIME_MS = 10 * 60_000;
/** Codes that an invitation looks at: a person mistakes one or two, an attacker tries many. */
export const MAX_PAIRING_TRIES = 5;

export interface HeldInvitation {
  readonly code: string;
  readonly expiresAt: number;
  /** How many codes it will still look at; 0 when it was used. */
  readonly triesLeft: number;
}

export function makeInvitation(
  admin: DeviceIdentity,
  profile: NodeProfile,
  list: Pick<VerifiedDeviceList, "version" | "hash">,
  now: number,
): HeldInvitation {
  const expiresAt = now + INVITATION_LIFETIME_MS;
  const keys = { signingKey: admin.signing.publicKey, tunnelKey: admin.tunnel.publicKey };
  const { version, hash } = list;
  const id = randomBytes(PAIRING_ID_BYTES);
  const code = encodeInvitation({ id, expiresAt, admin: keys, list: { version, hash }, profile });
  return { code, expiresAt, triesLeft: MAX_PAIRING_TRIES };
}

/** One try less, whatever comes of it. Kept before the code is looked at. */
export function afterTry(held: HeldInvitation): HeldInvitation {
  return { ...held, triesLeft: Math.max(0, held.triesLeft - 1) };
}

/** After it was used, or the words were not the same. */
export function spent(held: HeldInvitation): HeldInvitation {
  return { ...held, triesLeft: 0 };
}

/**
 * What a new device's code asks for, and the words to compare before anything is signed.
 *
 * @throws {@link ClientError} `ERR_PAIRING_SPENT`, `ERR_PAIRING_EXPIRED`, `ERR_PAIRING_CODE`, `ERR_PAIRING_OTHER`
 */
export async function takeRequest(
  held: HeldInvitation | undefined,
  untrusted: string,
  now: number,
): Promise<{ readonly request: PairingRequest; readonly words: string[] }> {
  if (!held || held.triesLeft === 0)
    throw new ClientError("ERR_PAIRING_SPENT", "there is no invitation that waits for a device");
  assertInTime(held.expiresAt, now);
  const request = decodePairingRequest(untrusted);
  if (!sameBytes(request.id, decodeInvitation(held.code).id))
    throw new ClientError("ERR_PAIRING_OTHER", "this code answers another invitation");
  return { request, words: await sixWords(held.code, untrusted) };
}

/** @throws {@link ClientError} `ERR_PAIRING_EXPIRED` */
export function assertInTime(expiresAt: number, now: number): void {
  if (now < expiresAt && expiresAt <= now + INVITATION_LIFETIME_MS + CLOCK_SKEW_MS) return;
  throw new ClientError("ERR_PAIRING_EXPIRED", "the ten minutes of this invitation are over");
}

/** Between two machines of one person; a ticket needs clocks that agree to a minute anyway. */
const CLOCK_SKEW_MS = 60_000;
