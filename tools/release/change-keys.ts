/**
 * The first roster, and every later one: people come, go, and are revoked.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { readRoles, type ReleaseKind, type RoleName, roleNames } from "@phantoma/release";
import type { Metadata, Root } from "@tufjs/models";
import type { Ceremony } from "./ceremony.ts";
import { newRoot, type RoleKeys, type Roster } from "./new-metadata.ts";
import { draftTargets, listed } from "./propose.ts";
import type { PublicKey } from "./signing-key.ts";

export function draftFirstRoot(
  ceremony: Ceremony,
  kind: ReleaseKind,
  roster: Roster,
  nowMs: number,
): void {
  const line = randomBytes(16).toString("hex");
  writeRoot(ceremony, 1, { kind, line }, roster, nowMs);
}

export interface KeyChange {
  /** People who lose every key. */
  readonly remove: readonly string[];
  readonly add: readonly { readonly key: PublicKey; readonly roles: readonly RoleName[] }[];
  readonly thresholds?: Partial<Record<RoleName, number>>;
}

/**
 * Drafts the next root, and the same list of releases again: what a revoked engineer signed must stand without them.
 */
export function draftKeyChange(ceremony: Ceremony, change: KeyChange, nowMs: number): void {
  const { signed } = ceremony.root;
  const roles = readRoles(signed);
  const next = Object.fromEntries(
    roleNames.map((name): [RoleName, RoleKeys] => {
      const { threshold, keys } = roles.role(name);
      const kept = keys
        .filter(({ person }) => !change.remove.includes(person))
        .map(({ id, publicKey, person }) => ({ keyid: id, public: publicKey, person }));
      const added = change.add.filter((add) => add.roles.includes(name)).map(({ key }) => key);
      return [
        name,
        { keys: [...kept, ...added], threshold: change.thresholds?.[name] ?? threshold },
      ];
    }),
  ) as unknown as Roster;
  writeRoot(ceremony, signed.version + 1, roles, next, nowMs);
  const { targets } = ceremony;
  if (targets !== undefined) draftTargets(ceremony, listed(targets), nowMs);
}

/** A roster that the verifier would refuse is refused here, before anybody signs it. */
function writeRoot(
  ceremony: Ceremony,
  version: number,
  { kind, line }: { readonly kind: ReleaseKind; readonly line: string },
  roster: Roster,
  nowMs: number,
): void {
  const root: Metadata<Root> = newRoot(version, { kind, line }, roster, nowMs);
  readRoles(root.signed);
  ceremony.writeDraft("root", root);
}
