/**
 * What two devices tell each other to pair, as the person carries it from one to the other.
 *
 *   invitation   an admin's device: which node, how it is reached and recognised, whose invitation, until when
 *   request      the new device: its public keys and name, for exactly that invitation
 *
 * Nothing of both is secret, and nothing is believed before the words of `six-words.ts` were compared.
 *
 *   invitation: 1 · id (16) · expires (8, ms) · admin's keys (32 + 32) · list's version (4) and hash (32) ·
 *               node (32) · release (32) · starter (1) · policy (1) · warden (0 or 1 + 32) ·
 *               url (1 + n) · name (1 + n) · certificate, DER (2 + n) · the node's first key (32), where it has another now
 *   request:    1 · id (16) · nonce (16) · keys (32 + 32) · name (1 + n)
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { MAX_DEVICE_NAME_BYTES, type Device } from "@phantoma/crypto";
import { ClientError } from "../client-error.ts";
import { originOf, parseProfile, type NodeProfile } from "../node-profile.ts";
import { decodeCode, encodeCode } from "./code-text.ts";

const VERSION = 1;
export const PAIRING_ID_BYTES = 16;
const NONCE_BYTES = 16;

const starters = ["systemd", "gateway"] as const;
const policies = ["none", "demo", "enforced"] as const;

export interface Invitation {
  /** Random: the invitation's name, and what the admin's side puts into the words. */
  readonly id: Uint8Array;
  readonly expiresAt: number;
  readonly admin: Pick<Device, "signingKey" | "tunnelKey">;
  /** The list that the next one, with the new device in it, follows. */
  readonly list: { readonly version: number; readonly hash: Uint8Array };
  readonly profile: NodeProfile;
}

export interface PairingRequest {
  readonly id: Uint8Array;
  /** Random: what the new device puts into the words. */
  readonly nonce: Uint8Array;
  readonly signingKey: Uint8Array;
  readonly tunnelKey: Uint8Array;
  readonly name: string;
}

export function encodeInvitation(invitation: Invitation): string {
  const { id, expiresAt, admin, list, profile } = invitation;
  const warden = profile.wardenKey;
  return encodeCode(
    "invite",
    Buffer.concat([
      Buffer.of(VERSION),
      id,
      number(expiresAt, 8),
      admin.signingKey,
      admin.tunnelKey,
      number(list.version, 4),
      list.hash,
      Buffer.from(profile.nodeKey, "hex"),
      Buffer.from(profile.release, "hex"),
      Buffer.of(starters.indexOf(profile.starter), policies.indexOf(profile.policy)),
      warden === undefined
        ? Buffer.of(0)
        : Buffer.concat([Buffer.of(1), Buffer.from(warden, "hex")]),
      withLength(Buffer.from(profile.url, "utf8"), 1),
      withLength(Buffer.from(profile.name, "utf8"), 1),
      withLength(new X509Certificate(profile.tlsCertificate).raw, 2),
      profile.formerKeys ? Buffer.from(originOf(profile), "hex") : Buffer.of(),
    ]),
  );
}

/** @throws {@link ClientError} `ERR_PAIRING_CODE` */
export function decodeInvitation(untrusted: string): Invitation {
  return reading(decodeCode("invite", untrusted), (read) => {
    const id = read.bytes(PAIRING_ID_BYTES);
    const expiresAt = read.number(8);
    const admin = { signingKey: read.bytes(32), tunnelKey: read.bytes(32) };
    const list = { version: read.number(4), hash: read.bytes(32) };
    const nodeKey = read.bytes(32).toString("hex");
    const release = read.bytes(32).toString("hex");
    const starter = starters[read.number(1)];
    const policy = policies[read.number(1)];
    const wardenKey = read.number(1) === 0 ? {} : { wardenKey: read.bytes(32).toString("hex") };
    const url = read.withLength(1).toString("utf8");
    const name = read.withLength(1).toString("utf8");
    const tlsCertificate = new X509Certificate(read.withLength(2)).toString();
    const former = read.isAtEnd ? {} : { formerKeys: [read.bytes(32).toString("hex")] };
    const pinned = { nodeKey, ...former, ...wardenKey, tlsCertificate, starter, policy, release };
    const profile = parseProfile(JSON.stringify({ name, url, ...pinned }));
    return { id, expiresAt, admin, list, profile };
  });
}

export function encodePairingRequest(request: PairingRequest): string {
  const { id, nonce, signingKey, tunnelKey, name } = request;
  const nameBytes = withLength(Buffer.from(name, "utf8"), 1);
  return encodeCode(
    "device",
    Buffer.concat([Buffer.of(VERSION), id, nonce, signingKey, tunnelKey, nameBytes]),
  );
}

/** @throws {@link ClientError} `ERR_PAIRING_CODE` */
export function decodePairingRequest(untrusted: string): PairingRequest {
  return reading(decodeCode("device", untrusted), (read) => {
    const id = read.bytes(PAIRING_ID_BYTES);
    const nonce = read.bytes(NONCE_BYTES);
    const signingKey = read.bytes(32);
    const tunnelKey = read.bytes(32);
    const name = read.withLength(1);
    if (name.length === 0 || name.length > MAX_DEVICE_NAME_BYTES) throw new RangeError("name");
    return { id, nonce, signingKey, tunnelKey, name: name.toString("utf8") };
  });
}

/** Takes exactly what is there, in its order; whatever else it is, it is no code of ours. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  bytes(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("too short");
    const found = Buffer.from(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return found;
  }

  number(length: 1 | 2 | 4 | 8): number {
    const value = BigInt(`0x${this.bytes(length).toString("hex")}`);
    if (value > Number.MAX_SAFE_INTEGER) throw new RangeError("too large");
    return Number(value);
  }

  withLength(length: 1 | 2): Buffer {
    return this.bytes(this.number(length));
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  end(): void {
    if (!this.isAtEnd) throw new RangeError("too long");
  }
}

function reading<T>(bytes: Buffer, read: (reader: Reader) => T): T {
  const reader = new Reader(bytes);
  try {
    if (reader.number(1) !== VERSION) throw new RangeError("another version");
    const found = read(reader);
    reader.end();
    return found;
  } catch {
    throw new ClientError("ERR_PAIRING_CODE", "it is not a code that this version understands");
  }
}

function withLength(bytes: Uint8Array, length: 1 | 2): Buffer {
  return Buffer.concat([number(bytes.length, length), bytes]);
}

function number(value: number, length: 1 | 2 | 4 | 8): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * length, "0"), "hex");
}
