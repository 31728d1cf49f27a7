/**
 * Conversations that a person chose to save, as the page sees them.
 *
 * @module
 */
import { z } from "zod";
import { idSchema, MAX_TITLE_CHARS } from "./conversation.ts";
import { fingerprintSchema, hex32Schema, timeSchema } from "./node.ts";

/** Characters of a search; more than a person types. */
export const MAX_QUERY_CHARS = 200;

/** Characters of a file that is imported; a larger one is imported by the terminal. */
export const MAX_IMPORT_CHARS = 4_000_000;

/** So many are shown; the rest is found by searching. */
export const MAX_SHOWN_SAVED = 500;

export const savedSummarySchema = z.strictObject({
  id: idSchema,
  title: z.string().max(MAX_TITLE_CHARS),
  model: z.string().max(255),
  changedAt: timeSchema,
  messages: z.int().nonnegative(),
  /** Whether the node has it as it is here. */
  isSynced: z.boolean(),
});

export const savedListSchema = z.strictObject({
  /** The newest first; of a search, those with all of its words. */
  saved: z.array(savedSummarySchema).max(MAX_SHOWN_SAVED),
  /** How many there are, or were found. */
  total: z.int().nonnegative(),
  /** Which node keeps them, sealed; `null`: this machine only. */
  node: hex32Schema.nullable(),
});

export const syncResultSchema = z.strictObject({
  taken: z.int().nonnegative(),
  merged: z.int().nonnegative(),
  given: z.int().nonnegative(),
  usedBytes: z.int().nonnegative(),
  maxBytes: z.int().positive(),
});

/**
 * Other devices that the node lists: one of them may have the saved conversations, or be given them. A node that was
 * taken over could list one of its own, so a person compares fingerprints.
 */
export const savedDevicesSchema = z.strictObject({
  own: fingerprintSchema,
  devices: z
    .array(
      z.strictObject({
        key: hex32Schema,
        name: z.string().max(64),
        fingerprint: fingerprintSchema,
      }),
    )
    .max(64),
});

export type SavedDevices = z.infer<typeof savedDevicesSchema>;
export type SavedDevice = SavedDevices["devices"][number];
export type SavedSummary = z.infer<typeof savedSummarySchema>;
export type SavedList = z.infer<typeof savedListSchema>;
export type SyncResult = z.infer<typeof syncResultSchema>;
