/**
 * The one hole in the kernel policy, and what comes in through it.
 *
 * Specified in PROTOCOL.md, section 5.4.
 *
 * @module
 */
import { MAX_ENDPOINTS, MAX_FILES } from "@phantoma/crypto";
import { z } from "zod";
import { calendarTime, count, counterText, hex32 } from "./message-fields.ts";

/** Why a file did not come in, and what to do about it. */
export const transferFailures = [
  /** No listed address answers: check the network, open another window. */
  "ERR_UNREACHABLE",
  /** The host fell silent: open another window; what came is kept while one is open. */
  "ERR_TIMEOUT",
  /** The host's certificate is not for the listed name: do not trust this source. */
  "ERR_TLS",
  /** It redirects to a name that was not signed: resolve the address again and sign that. */
  "ERR_REDIRECT",
  /** The host did not answer with the file: check its address. */
  "ERR_STATUS",
  /** More bytes than were signed: resolve the address again. */
  "ERR_TOO_LONG",
  /** Fewer bytes than were signed: resolve the address again. */
  "ERR_TOO_SHORT",
  /** Other bytes than were signed: do not trust this source. */
  "ERR_DIGEST",
  /** The node's disk is full: remove a model. */
  "ERR_NO_SPACE",
  /** The node's disk failed in another way: look at its log. */
  "ERR_STORAGE",
  /** The window closed before the file was there: open a longer one. */
  "ERR_WINDOW_CLOSED",
] as const;

export type TransferFailure = (typeof transferFailures)[number];

export const transferSchema = z.strictObject({
  /** As in the order: the path that is asked for. */
  name: z.string().max(255),
  digest: hex32,
  bytes: count,
  received: count,
  state: z.enum(["waiting", "fetching", "storing", "stored", "failed"]),
  /** Why it failed, or why it is being tried again. */
  error: z.enum(transferFailures).nullable(),
});

export type Transfer = z.infer<typeof transferSchema>;

export const openWindowSchema = z.strictObject({
  counter: counterText,
  notAfter: calendarTime,
  endpoints: z
    .array(
      z.strictObject({
        name: z.string().max(253),
        address: z.string().regex(/^[0-9a-f.:]{2,45}$/),
        port: z.int().min(0).max(65_535),
      }),
    )
    .max(MAX_ENDPOINTS),
  files: z
    .array(z.strictObject({ name: z.string().max(255), digest: hex32, bytes: count }))
    .max(MAX_FILES),
});

export type OpenWindow = z.infer<typeof openWindowSchema>;

export const windowSchema = z.strictObject({
  open: openWindowSchema.nullable(),
  /** The next order's counter must be above it. */
  highestCounter: counterText,
  /** Of the open window, or of the last one. */
  transfers: z.array(transferSchema).max(MAX_FILES),
});

export type WindowState = z.infer<typeof windowSchema>;
