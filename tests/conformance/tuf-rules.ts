/**
 * TUF's rules and no more: what its conformance suite's repositories hold to, which have one key per role, of any kind.
 *
 * The walk over the files is the one that verifies releases, and so are the closings that no rule turns off: names of
 * keys are computed, a public key counts once, time does not go back.
 *
 * @module
 */
import type { Key, Metadata, Root } from "@tufjs/models";
import { ReleaseError } from "../../packages/release/src/release-error.ts";
import type { Rules } from "../../packages/release/src/release-rules.ts";
import {
  demandKeyId,
  type HeldKey,
  refuseTwice,
  type RoleName,
  roleNames,
  type TrustedRoles,
} from "../../packages/release/src/root-rules.ts";
import type { SignedMetadata } from "../../packages/release/src/signature.ts";

const FOR_EVER = { root: Infinity, targets: Infinity, snapshot: Infinity, timestamp: Infinity };

export const tufRules: Rules = {
  maxLifeMs: FOR_EVER,
  readRoles,
  readIssueTime: () => 0,
  demandListing: () => undefined,
  demandSnapshot: () => undefined,
  // Who delegates is not refused, and nobody is followed: what only others signed is a file that nobody signed.
  demandTargets: () => undefined,
};

/** A root without Phantoma's fields belongs to nobody's line. */
export const NO_LINE = { kind: "development", line: "" } as const;

function readRoles(root: Root): TrustedRoles {
  if (!root.consistentSnapshot)
    throw new ReleaseError("ERR_METADATA", "root does not name files by version and digest");
  const keys = Object.entries(root.keys);
  for (const [id, key] of keys) demandKeyId(id, key);
  refuseTwice(
    keys.map(([, { keyVal }]) => keyVal["public"] ?? ""),
    "public key",
  );
  const roles = new Map(
    roleNames.map((name) => {
      const { keyIDs, threshold } = root.roles[name]!;
      refuseTwice(keyIDs, `key in ${name}`);
      if (!Number.isSafeInteger(threshold) || threshold < 1)
        throw new ReleaseError("ERR_METADATA", `${name} needs nobody`);
      return [name, { threshold, keys: keyIDs.map((id) => held(root, id, name)) }];
    }),
  );
  return { ...NO_LINE, role: (name) => roles.get(name)! };
}

function held(root: Root, id: string, name: RoleName): HeldKey {
  const key = root.keys[id];
  if (key === undefined)
    throw new ReleaseError("ERR_METADATA", `${name} names a key that is not there`);
  return {
    id,
    publicKey: key.keyVal["public"] ?? "",
    person: id,
    hasSigned: (file) => isSigned(key, file),
  };
}

/** With the library's code for RSA and ECDSA, which no release of ours has. */
function isSigned(key: Key, file: SignedMetadata): boolean {
  try {
    key.verifySignature(file as Metadata<Root>);
    return true;
  } catch {
    return false;
  }
}
