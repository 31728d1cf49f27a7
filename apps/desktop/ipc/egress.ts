/**
 * What a node's kernel refused to send, as the node reports it.
 *
 * @module
 */
import { z } from "zod";
import { hex32Schema, timeSchema } from "./node.ts";

/** More than a page lists at once, and as many as a node gives in one answer. */
export const MAX_LISTED_ATTEMPTS = 200;

const count = z.int().nonnegative();
/** A process of the node, such as `worker`; `unknown` is a cgroup that is none of them. */
const unitSchema = z.string().regex(/^[a-z]{1,16}$/);
export const tierSchema = z.enum(["cgroup", "unix", "lsm"]);

export const attemptSchema = z.strictObject({
  /** Grows by one with every attempt that was logged. */
  sequence: count,
  at: timeSchema,
  unit: unitSchema,
  /** The kernel's hook that refused it, such as `connect4`. */
  hook: z.string().max(32),
  /** A name, or a number where it has none here. */
  protocol: z.string().max(16),
  /** Empty where the attempt named none. */
  address: z.string().max(64),
  port: z.int().min(0).max(65_535),
});

export const egressSchema = z.strictObject({
  /** `null` where no warden holds a policy. */
  policy: z
    .strictObject({
      isInForce: z.boolean(),
      fault: z.string().max(300).nullable(),
      tiers: z.array(tierSchema).max(3),
      missing: z.array(z.strictObject({ tier: tierSchema, reason: z.string().max(100) })).max(3),
      /** SHA-256 over the tags of the loaded programs. */
      programs: hex32Schema,
      /** When it was last read back and tried. */
      verifiedAt: timeSchema.nullable(),
    })
    .nullable(),
  countingSince: timeSchema,
  /** attempts = logged + lost, for each unit. */
  counts: z
    .array(z.strictObject({ unit: unitSchema, attempts: count, logged: count, lost: count }))
    .max(32),
  /** Days in UTC, oldest first; a day that is missing was not counted. */
  days: z
    .array(z.strictObject({ day: z.string().regex(/^\d{4}-\d{2}-\d{2}$/), attempts: count }))
    .max(30),
  /** Those after the asked sequence that the node still keeps, oldest first. */
  events: z.array(attemptSchema).max(MAX_LISTED_ATTEMPTS),
  /** The newest sequence; below an earlier answer's, the node began to count anew. */
  latest: count,
});

export type Tier = z.infer<typeof tierSchema>;
export type Attempt = z.infer<typeof attemptSchema>;
export type Egress = z.infer<typeof egressSchema>;
