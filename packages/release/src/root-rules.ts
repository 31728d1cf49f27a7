/**
 * What every root must be, whoever signed it: names of keys that are digests of the keys, no key or person twice,
 * and never fewer signers than this build was made to demand.
 *
 * TUF demands the first of clients (specification 1.0.34, section 5.3.8 and 4.2); tuf-js 6.0.2 does not do it, so a
 * root that lists one public key under three names let one person meet a threshold of three.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { canonicalize } from "@tufjs/canonical-json";
import type { Key, Root } from "@tufjs/models";
import { z } from "zod";
import * as limits from "./limits.ts";
import { ReleaseError } from "./release-error.ts";
import { isSignature, type SignedMetadata } from "./signature.ts";

export type ReleaseKind = "production" | "development";
export type RoleName = "root" | "targets" | "snapshot" | "timestamp";
export const roleNames: readonly RoleName[] = ["root", "targets", "snapshot", "timestamp"];

/** What a root of ours says beside TUF's fields, under the quorum's signatures like the rest. */
const OwnFields = z.strictObject({
  kind: z.enum(["production", "development"]),
  /** Drawn once for a line of releases, so that what was seen of one is not held against another. */
  line: z.string().regex(/^[0-9a-f]{32}$/),
  /** Who holds which key; one person counts once, however many keys they hold. */
  people: z.record(z.string(), z.string().min(1).max(64)),
});
export const OWN_FIELDS = "x-phantoma";

export interface TrustedRoles {
  readonly kind: ReleaseKind;
  readonly line: string;
  role(name: RoleName): { readonly threshold: number; readonly keys: readonly HeldKey[] };
}

export interface HeldKey {
  readonly id: string;
  readonly publicKey: string;
  readonly person: string;
  /** @param bytes what of it is signed */
  hasSigned(file: SignedMetadata, bytes: Uint8Array): boolean;
}

/** One spelling of each key, so that what looks like two keys is two keys. */
const ED25519_HEX = /^[0-9a-f]{64}$/;
/** Keys that verify signatures nobody needed a secret for: the points of small order, in every encoding. */
const WEAK_KEYS = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]);

/** The name that a key must have: SHA-256 of its canonical form. */
export function keyId(key: { toJSON(): object }): string {
  return createHash("sha256").update(canonicalize(key.toJSON())).digest("hex");
}

/** @throws {@link ReleaseError} `ERR_KEY_ID` */
export function demandKeyId(id: string, key: Key): void {
  if (keyId(key) !== id)
    throw new ReleaseError("ERR_KEY_ID", `a key calls itself ${id.slice(0, 16)}`);
}

/**
 * @throws {@link ReleaseError} `ERR_METADATA`, `ERR_KEY_ID`, `ERR_KEY_TWICE`, `ERR_TOO_FEW_KEYS`
 */
export function readRoles(root: Root): TrustedRoles {
  const own = OwnFields.safeParse(root.unrecognizedFields[OWN_FIELDS]);
  if (!own.success) throw new ReleaseError("ERR_METADATA", "root does not say who holds its keys");
  if (!root.consistentSnapshot)
    throw new ReleaseError("ERR_METADATA", "root does not name files by version and digest");
  const names = Object.keys(root.roles).toSorted();
  if (names.join() !== roleNames.toSorted().join())
    throw new ReleaseError("ERR_METADATA", "root has other roles than TUF's four");
  const { people } = own.data;
  const held = new Map<string, HeldKey>();
  const keys = Object.entries(root.keys);
  if (keys.length > limits.MAX_KEYS)
    throw new ReleaseError("ERR_TOO_LARGE", `root lists more than ${limits.MAX_KEYS} keys`);
  for (const [id, key] of keys) held.set(id, heldKey(id, key, people[id]));
  refuseTwice(
    [...held.values()].map(({ publicKey }) => publicKey),
    "public key",
  );
  const roles = Object.fromEntries(
    roleNames.map((name) => {
      const { keyIDs, threshold } = root.roles[name]!;
      return [name, { threshold, keys: keyIDs.map((id) => listed(held, id, name)) }];
    }),
  ) as unknown as Record<RoleName, { threshold: number; keys: HeldKey[] }>;
  for (const name of roleNames) {
    const { threshold, keys: ofRole } = roles[name];
    refuseTwice(
      ofRole.map(({ person }) => person.normalize("NFKC").toLowerCase().trim()),
      `person in ${name}`,
    );
    if (!Number.isSafeInteger(threshold) || threshold > ofRole.length)
      throw new ReleaseError("ERR_METADATA", `${name} needs ${threshold} of ${ofRole.length} keys`);
  }
  demand("root", roles.root, limits.MIN_ROOT_SIGNERS, limits.MIN_ROOT_PEOPLE);
  demand("targets", roles.targets, limits.MIN_TARGETS_SIGNERS, limits.MIN_TARGETS_PEOPLE);
  demand("snapshot", roles.snapshot, 1, 1);
  demand("timestamp", roles.timestamp, 1, 1);
  refuseSharedKeys(roles);
  return { kind: own.data.kind, line: own.data.line, role: (name) => roles[name] };
}

function heldKey(id: string, key: Key, person: string | undefined): HeldKey {
  const publicKey = key.keyVal["public"] ?? "";
  if (key.keyType !== "ed25519" || key.scheme !== "ed25519" || !ED25519_HEX.test(publicKey))
    throw new ReleaseError(
      "ERR_METADATA",
      "root lists a key that is not Ed25519 in lower-case hex",
    );
  if (WEAK_KEYS.has(publicKey))
    throw new ReleaseError("ERR_METADATA", "root lists a key that needs no secret");
  demandKeyId(id, key);
  if (person === undefined)
    throw new ReleaseError("ERR_METADATA", `nobody holds key ${id.slice(0, 16)}`);
  return {
    id,
    publicKey,
    person,
    hasSigned: ({ signatures }, bytes) =>
      Object.hasOwn(signatures, id) && isSignature(publicKey, bytes, signatures[id]!.sig),
  };
}

function listed(held: ReadonlyMap<string, HeldKey>, id: string, name: RoleName): HeldKey {
  const key = held.get(id);
  if (key === undefined)
    throw new ReleaseError("ERR_METADATA", `${name} names a key that is not there`);
  return key;
}

export function refuseTwice(values: readonly string[], what: string): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined)
    throw new ReleaseError(
      "ERR_KEY_TWICE",
      `the same ${what} is listed twice: ${twice.slice(0, 16)}`,
    );
}

function demand(
  name: RoleName,
  { threshold, keys }: { readonly threshold: number; readonly keys: readonly HeldKey[] },
  signers: number,
  people: number,
): void {
  if (threshold < signers || keys.length < people)
    throw new ReleaseError(
      "ERR_TOO_FEW_KEYS",
      `${name} needs ${threshold} of ${keys.length}; this build demands ${signers} of ${people} or more`,
    );
}

/** A machine's key, which lies where a thief may reach it, must not speak for a person or for the other machine. */
function refuseSharedKeys(roles: Record<RoleName, { readonly keys: readonly HeldKey[] }>): void {
  const ids = (name: RoleName) => roles[name].keys.map(({ id }) => id);
  const people = new Set([...ids("root"), ...ids("targets")]);
  const machines = [...ids("snapshot"), ...ids("timestamp")];
  refuseTwice(machines, "key for snapshot and timestamp");
  const shared = machines.find((id) => people.has(id));
  if (shared !== undefined)
    throw new ReleaseError("ERR_KEY_TWICE", `a key of snapshot or timestamp may sign releases too`);
}
