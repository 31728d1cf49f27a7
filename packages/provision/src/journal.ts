/**
 * What a set-up writes down on the server while it goes: a line of JSON per event, flushed before the next begins.
 * Written by root there, and read here as anybody's bytes.
 *
 * @module
 */
import { z } from "zod";
import { ProvisionError } from "./provision-error.ts";
import { operationNames, stepNames } from "./step-names.ts";

/** Characters of a reason; the server's words, for show only. */
export const MAX_WHY_LENGTH = 300;
/** Bytes: an event with the longest reason, every letter of it escaped, has less. */
export const MAX_LINE_BYTES = 4_096;

/**
 * A signed list of devices, a reboot, a sign-in by a key, one more after passwords were switched off, and an admin's word
 * for another key.
 */
const wanted = ["devices", "reboot", "key", "sign-in", "succession"] as const;
export type Wish = (typeof wanted)[number];

/** What a run is for. */
const works = ["install", "uninstall", ...operationNames, "keep-key"] as const;
export type Work = (typeof works)[number];

/** Of a document of 65,535 bytes. */
export const MAX_LIST_BASE64 = 87_380;

const at = z.int().nonnegative();
const step = z.enum([...stepNames, ...operationNames]);

export const eventSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("began"), at, what: z.enum(works) }),
  z.strictObject({
    kind: z.literal("step"),
    at,
    step,
    /** `was-so`: it was right before, and nothing was changed. */
    state: z.enum(["applying", "done", "was-so", "undoing", "undone"]),
  }),
  z.strictObject({ kind: z.literal("failed"), at, step, why: z.string().max(MAX_WHY_LENGTH) }),
  /** The run has ended, and wants something of the person's: then it is started again. */
  z.strictObject({ kind: z.literal("wants"), at, what: z.enum(wanted) }),
  /** An attempt to phone home from a unit's own place. */
  z.strictObject({
    kind: z.literal("drill"),
    at,
    unit: z
      .string()
      .max(32)
      .regex(/^[a-z]+$/),
    isBlocked: z.boolean(),
    isCounted: z.boolean(),
  }),
  z.strictObject({ kind: z.literal("ended"), at, what: z.enum(["installed", "uninstalled"]) }),
]);

export type JournalEvent = z.infer<typeof eventSchema>;
type Without<T> = T extends unknown ? Omit<T, "at"> : never;
export type NewEvent = Without<JournalEvent>;

/** @throws {@link ProvisionError} `ERR_JOURNAL` */
export function parseEvent(untrusted: string): JournalEvent {
  try {
    if (untrusted.length > MAX_LINE_BYTES) throw new RangeError("too long");
    return eventSchema.parse(JSON.parse(untrusted));
  } catch (cause) {
    throw new ProvisionError("ERR_JOURNAL", { cause });
  }
}

/** What the server was told to do, and what it tells back. */
export const orderSchema = z.strictObject({
  version: z.literal(1),
  /** Of the bundle, in hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  port: z.int().min(1).max(65_535),
  /** Whether the kernel may be told to clean what is freed, which wants a reboot. */
  mayReboot: z.boolean(),
  /** Whether the server's own firewall is told to let the port in. */
  mayOpenPort: z.boolean(),
  /** Whether the distribution's newest kernel is wanted. */
  mayUpdateKernel: z.boolean(),
  /** Whether SSH is to take keys only. */
  mayHardenSsh: z.boolean(),
  /** A version that is kept there. */
  rollbackTo: z
    .string()
    .max(32)
    .regex(/^[0-9.]+$/)
    .optional(),
  /** The node's key in hex that another one is to follow, so that this is done once. */
  rotateFrom: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Names one reset, so that it is done once. */
  resetId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
});
export type Order = z.infer<typeof orderSchema>;

/** What an admin's device signs for: the next key, and the list that is in force. */
export const nextKeySchema = z.strictObject({
  nodeKey: z.string().regex(/^[0-9a-f]{64}$/),
  devices: z.base64().max(MAX_LIST_BASE64),
});

export type NextKey = z.infer<typeof nextKeySchema>;

export const identitySchema = z.strictObject({
  nodeKey: z.string().regex(/^[0-9a-f]{64}$/),
  wardenKey: z.string().regex(/^[0-9a-f]{64}$/),
  tlsCertificate: z.string().min(1).max(8192),
});
export type NodeIdentityText = z.infer<typeof identitySchema>;
