/**
 * What an attacker publishes in a mirror, with the keys that they have.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Metadata, Root, Targets } from "@tufjs/models";
import type { Ceremony } from "../../../tools/release/ceremony.ts";
import type { DevelopmentTeam } from "../../../tools/release/development/team.ts";
import {
  addSignature,
  type AnyRole,
  fileBytes,
  type Listed,
  newSnapshot,
  newTargets,
  newTimestamp,
} from "../../../tools/release/new-metadata.ts";
import { listed } from "../../../tools/release/propose.ts";
import type { SigningKey } from "../../../tools/release/signing-key.ts";

/** What is left out is as honest as it was. */
export interface Forgery {
  readonly root?: Metadata<Root>;
  readonly files?: readonly Listed[];
  readonly targets?: Metadata<Targets>;
  /** Who signs the list; by default two engineers, who were deceived. */
  readonly signers?: readonly SigningKey[];
  readonly snapshotKey?: SigningKey;
  readonly timestampKey?: SigningKey;
  /** When it claims to have been made. */
  readonly madeAtMs?: number;
  /** Absent: newer than any honest one. */
  readonly timestampVersion?: number;
}

/** Newer than any honest one. */
const FORGED_TIMESTAMP = 1000;

/** @param dir a copy of what is published */
export function forge(
  dir: string,
  ceremony: Ceremony,
  team: DevelopmentTeam,
  forgery: Forgery & { readonly madeAtMs: number },
): void {
  const { madeAtMs, signers = team.engineers.slice(0, 2) } = forgery;
  const files = forgery.files ?? listed(ceremony.targets!);
  const version = ceremony.newestVersion("targets") + 1;
  const targets = forgery.targets ?? newTargets(version, files, madeAtMs);
  for (const signer of signers) addSignature(targets, signer);
  const snapshot = newSnapshot(ceremony.newestVersion("snapshot") + 1, targets, madeAtMs);
  addSignature(snapshot, forgery.snapshotKey ?? team.snapshot);
  const timestamp = newTimestamp(forgery.timestampVersion ?? FORGED_TIMESTAMP, snapshot, madeAtMs);
  addSignature(timestamp, forgery.timestampKey ?? team.timestamp);
  if (forgery.root) putMetadata(dir, `${forgery.root.signed.version}.root.json`, forgery.root);
  putMetadata(dir, `${targets.signed.version}.targets.json`, targets);
  putMetadata(dir, `${snapshot.signed.version}.snapshot.json`, snapshot);
  putMetadata(dir, "timestamp.json", timestamp);
}

export function putMetadata(dir: string, name: string, file: Metadata<AnyRole>): void {
  writeFileSync(join(dir, "metadata", name), fileBytes(file));
}
