/**
 * Devices of a node, pairing and recovery, as the page sees them.
 *
 * @module
 */
import { z } from "zod";
import { hex32Schema, timeSchema } from "./node.ts";

/** Characters: an invitation has about 900; a file of a kit in base64 is longer. */
export const MAX_CODE_CHARS = 3_000;
const MAX_KIT_CHARS = 180_000;
const MAX_NAME_CHARS = 64;

export const deviceNameSchema = z.string().min(1).max(MAX_NAME_CHARS);
export const roleSchema = z.enum(["admin", "chat"]);
export const passphraseSchema = z.string().max(1_000);
export const kitFileSchema = z.base64().max(MAX_KIT_CHARS);

export const deviceSchema = z.strictObject({
  /** Its signing key. */
  id: hex32Schema,
  name: z.string().max(MAX_NAME_CHARS),
  role: roleSchema,
  addedAt: timeSchema,
  revokedAt: timeSchema.nullable(),
  isThis: z.boolean(),
  /** A recovery kit's key: an admin that is on no machine. */
  isKit: z.boolean(),
  /** The beginning of the hour; `null`: not since the node started, or this device is no admin's. */
  seenHour: timeSchema.nullable(),
  /** 12 groups of five digits, of both its keys. */
  fingerprint: z.string().max(80),
});

export const deviceListSchema = z.strictObject({
  version: z.int().positive(),
  devices: z.array(deviceSchema).max(64),
});

/** A text to copy, and the same as a picture: rows of `0` and `1`. */
export const codeSchema = z.strictObject({
  text: z.string().max(MAX_CODE_CHARS),
  rows: z.array(z.string().max(200)).max(200),
  expiresAt: timeSchema,
});

export const sixWordsSchema = z.array(z.string()).length(6);

export const joiningSchema = z.strictObject({
  code: codeSchema,
  words: sixWordsSchema,
  nodeName: z.string().max(MAX_NAME_CHARS),
});

export const askedSchema = z.strictObject({
  name: z.string().max(MAX_NAME_CHARS),
  words: sixWordsSchema,
});

export const safetySchema = z.strictObject({
  digits: z.string().max(80),
  words: z.array(z.string()).length(24),
});

export const kitMadeSchema = z.strictObject({
  path: z.string().max(4_096),
  /** Made here and shown once; `null` where the person chose a passphrase. */
  words: z.array(z.string()).length(12).nullable(),
  /** Whether it opens what is saved at the node; not where nothing is, or this one is not let into it. */
  opensSaved: z.boolean(),
});

export const kitCheckSchema = z.strictObject({
  madeAt: timeSchema,
  /** good: the node would take its signature · revoked: it would not · aged: from before its key · other: another node's */
  standing: z.enum(["good", "revoked", "aged", "other"]),
  /** Whether it was made to open what is saved at the node. */
  opensSaved: z.boolean(),
});

/** What a kit shows on a new machine, before anything is signed. */
export const kitOpenedSchema = z.strictObject({
  nodeName: z.string().max(MAX_NAME_CHARS),
  devices: z.array(deviceSchema.pick({ id: true, name: true, role: true })).max(64),
});

export type DeviceView = z.infer<typeof deviceSchema>;
export type DevicesView = z.infer<typeof deviceListSchema>;
export type CodeView = z.infer<typeof codeSchema>;
export type JoiningView = z.infer<typeof joiningSchema>;
export type AskedView = z.infer<typeof askedSchema>;
export type SafetyView = z.infer<typeof safetySchema>;
export type KitCheck = z.infer<typeof kitCheckSchema>;
export type KitOpened = z.infer<typeof kitOpenedSchema>;
