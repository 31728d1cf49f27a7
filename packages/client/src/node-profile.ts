/**
 * What a device knows of a node it was paired with: public, but worth protecting from change.
 *
 * @module
 */
import { MAX_FORMER_KEYS } from "@phantoma/crypto";
import { z } from "zod";
import { ClientError } from "./client-error.ts";

const profileSchema = z.strictObject({
  name: z.string().min(1).max(64),
  /** wss://host:port of the gateway. */
  url: z.url({ protocol: /^wss$/ }),
  /** The node's Ed25519 key in hex; certificates and receipts are checked against it. */
  nodeKey: z.string().regex(/^[0-9a-f]{64}$/),
  /** Keys that it had before, the first one first: receipts of then are checked against them. */
  formerKeys: z
    .array(z.string().regex(/^[0-9a-f]{64}$/))
    .min(1)
    .max(MAX_FORMER_KEYS)
    .exactOptional(),
  /** The warden's Ed25519 key in hex, told at set-up: what it says in receipts is checked against it. */
  wardenKey: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** The gateway's self-signed certificate (PEM): nothing else may answer. */
  tlsCertificate: z.string().max(8192),
  /** Who makes the node's workers: a provisioned node never says `gateway`. */
  starter: z.enum(["systemd", "gateway"]),
  /** What the kernel enforces there: anything less than was set up is refused. */
  policy: z.enum(["none", "demo", "enforced"]),
  /** SHA-256 of the installed release; zeros for a development tree. */
  release: z.string().regex(/^[0-9a-f]{64}$/),
  /** SHA-256 of a release that this device approved: the node may run it by now. */
  approvedRelease: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .exactOptional(),
});

export type NodeProfile = z.infer<typeof profileSchema>;

/**
 * The key that the node began with, in hex: its name for what outlasts a key, such as a vault. A device that came later
 * knows it from its invitation.
 */
export function originOf({ nodeKey, formerKeys }: Pick<NodeProfile, "nodeKey" | "formerKeys">) {
  return formerKeys?.[0] ?? nodeKey;
}

/** The same node under its next key; of too many former ones the first and the newest stay. */
export function withNextKey(profile: NodeProfile, nodeKey: string): NodeProfile {
  const former = [...(profile.formerKeys ?? []), profile.nodeKey];
  const newest = former.slice(1).slice(1 - MAX_FORMER_KEYS);
  return { ...profile, nodeKey, formerKeys: [originOf(profile), ...newest] };
}

/** @throws {@link ClientError} `ERR_PROFILE` */
export function parseProfile(untrusted: string): NodeProfile {
  try {
    return profileSchema.parse(JSON.parse(untrusted));
  } catch {
    throw new ClientError("ERR_PROFILE", "the stored profile of the node cannot be read");
  }
}
