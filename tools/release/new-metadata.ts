/**
 * Metadata, made: what the verifier reads, written with the same classes and the same limits.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { canonicalize } from "@tufjs/canonical-json";
import {
  Metadata,
  MetaFile,
  Root,
  Signature,
  Snapshot,
  TargetFile,
  Targets,
  Timestamp,
} from "@tufjs/models";
import { MAX_LIFE_MS, OWN_FIELDS, type ReleaseKind, type RoleName } from "@phantoma/release";
import { json, type PublicKey, type SigningKey, tufKey } from "./signing-key.ts";

export type AnyRole = Root | Targets | Snapshot | Timestamp;

export interface RoleKeys {
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
}
export type Roster = Readonly<Record<RoleName, RoleKeys>>;

export interface Listed {
  readonly name: string;
  readonly length: number;
  readonly sha256: string;
  readonly custom?: object;
}

export function newRoot(
  version: number,
  own: { readonly kind: ReleaseKind; readonly line: string },
  roster: Roster,
  nowMs: number,
): Metadata<Root> {
  const everybody = Object.values(roster).flatMap(({ keys }) => keys);
  const { specVersion, expires } = common(version, "root", nowMs);
  const root = Root.fromJSON({
    _type: "root",
    spec_version: specVersion,
    version,
    expires,
    consistent_snapshot: true,
    keys: Object.fromEntries(everybody.map((key) => [key.keyid, tufKey(key).toJSON()])),
    roles: Object.fromEntries(
      Object.entries(roster).map(([name, { keys, threshold }]) => [
        name,
        { keyids: keys.map(({ keyid }) => keyid), threshold },
      ]),
    ),
    [OWN_FIELDS]: {
      ...own,
      people: Object.fromEntries(everybody.map(({ keyid, person }) => [keyid, person])),
    },
  });
  return new Metadata(root);
}

export function newTargets(
  version: number,
  files: readonly Listed[],
  nowMs: number,
): Metadata<Targets> {
  const targets = files.map(({ name, length, sha256, custom }) => [
    name,
    new TargetFile({
      path: name,
      length,
      hashes: { sha256 },
      ...(custom === undefined ? {} : { unrecognizedFields: { custom } as never }),
    }),
  ]);
  return new Metadata(
    new Targets({
      ...common(version, "targets", nowMs),
      targets: Object.fromEntries(targets) as never,
    }),
  );
}

export function newSnapshot(
  version: number,
  targets: Metadata<Targets>,
  nowMs: number,
): Metadata<Snapshot> {
  return new Metadata(
    new Snapshot({
      ...common(version, "snapshot", nowMs),
      meta: { "targets.json": listedAs(targets) },
    }),
  );
}

export function newTimestamp(
  version: number,
  snapshot: Metadata<Snapshot>,
  nowMs: number,
): Metadata<Timestamp> {
  return new Metadata(
    new Timestamp({
      ...common(version, "timestamp", nowMs),
      snapshotMeta: listedAs(snapshot),
      unrecognizedFields: { [OWN_FIELDS]: { issued: timeText(nowMs) } },
    }),
  );
}

/** The bytes that everybody signs: the same on every machine. */
export function signedBytes(file: Metadata<AnyRole>): Buffer {
  return Buffer.from(canonicalize(file.signed.toJSON()), "utf8");
}

export function addSignature(file: Metadata<AnyRole>, key: SigningKey): void {
  const { keyid } = key;
  file.signatures[keyid] = new Signature({ keyID: keyid, sig: key.sign(signedBytes(file)) });
}

export function fileBytes(file: Metadata<AnyRole>): Buffer {
  return Buffer.from(json(file.toJSON()), "utf8");
}

function listedAs(file: Metadata<AnyRole>): MetaFile {
  const bytes = fileBytes(file);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return new MetaFile({ version: file.signed.version, length: bytes.length, hashes: { sha256 } });
}

function common(version: number, role: RoleName, nowMs: number) {
  return { version, specVersion: "1.0.34", expires: timeText(nowMs + MAX_LIFE_MS[role]) };
}

/** TUF's form: whole seconds. */
function timeText(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}
