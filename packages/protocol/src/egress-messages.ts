/**
 * What a node's kernel policy let through to nobody: state of the policy, exact counts, a list.
 *
 * Specified in PROTOCOL.md, section 5.4.
 *
 * @module
 */
import { z } from "zod";
import { calendarTime, count, hex32 } from "./message-fields.ts";

/** Every unit that the policy is keyed on; `unknown` is a cgroup that nobody registered. */
export const egressUnits = [
  "gateway",
  "worker",
  "clerk",
  "keeper",
  "warden",
  "fetcher",
  "herald",
  "installer",
  "hold",
  "probe",
  "unknown",
] as const;

/** Layers of the policy: the first is always there, the others where the kernel has them. */
export const policyTiers = ["cgroup", "unix", "lsm"] as const;

const unit = z.enum(egressUnits);
const tier = z.enum(policyTiers);

export const policyStateSchema = z.strictObject({
  isInForce: z.boolean(),
  /** What is wrong with it, in the warden's words; `null` where nothing is. */
  fault: z.string().max(300).nullable(),
  tiers: z.array(tier).max(policyTiers.length),
  /** Layers that this kernel refused, with its reason. */
  missing: z.array(z.strictObject({ tier, reason: z.string().max(100) })).max(policyTiers.length),
  /** SHA-256 over the tags of the loaded programs. */
  programs: hex32,
  /** When a live probe was last refused and counted. */
  verifiedAt: calendarTime.nullable(),
});

export type PolicyState = z.infer<typeof policyStateSchema>;

/** One refused attempt. */
export const egressEventSchema = z.strictObject({
  /** 1, 2, 3, … since `countingSince`. */
  sequence: z.int().positive(),
  at: calendarTime,
  unit,
  /** Which of the kernel's hooks refused it. */
  hook: z.string().regex(/^[a-z0-9_]{1,32}$/),
  /** `tcp`, `udp`, `icmp`, `icmp6`, or a protocol's number. */
  protocol: z.string().regex(/^[a-z0-9]{1,16}$/),
  /** Empty, and port 0, where the attempt had none. */
  address: z.string().regex(/^[0-9a-f.:]{0,45}$/),
  port: z.int().min(0).max(65_535),
});

export type EgressEvent = z.infer<typeof egressEventSchema>;

/** attempts = logged + lost, exactly. */
export const egressCountSchema = z.strictObject({
  unit,
  attempts: count,
  logged: count,
  /** Did not fit into the kernel's ring; counted all the same. */
  lost: count,
});

export type EgressCount = z.infer<typeof egressCountSchema>;

export const egressSchema = z.strictObject({
  /** `null`: this node has no warden, so nothing is refused and nothing counted. */
  policy: policyStateSchema.nullable(),
  countingSince: calendarTime,
  counts: z.array(egressCountSchema).max(egressUnits.length),
  /** Attempts by UTC day, oldest first; a day without a row was not counted. */
  days: z
    .array(z.strictObject({ day: z.string().regex(/^\d{4}-\d\d-\d\d$/), attempts: count }))
    .max(30),
  /** Those after the asked sequence that are still kept, oldest first. */
  events: z.array(egressEventSchema).max(200),
  /** The newest sequence; below an earlier answer's, the keeper began anew. */
  latest: count,
});

export type Egress = z.infer<typeof egressSchema>;
