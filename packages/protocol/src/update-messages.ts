/**
 * Which release runs, which one waits, and what an admin said about it. Who signed it is no word of the node's: a device
 * reads the release's own files through the tunnel and verifies them itself.
 *
 * Specified in PROTOCOL.md, section 5.4.
 *
 * @module
 */
import { z } from "zod";
import { MAX_HELD_BUNDLES, MAX_PUSH_CHUNK_BYTES } from "./limits.ts";
import { calendarTime, count, counterText, hex32 } from "./message-fields.ts";

/** What is one exactly, packages/release says. */
const version = z.string().regex(/^\d{1,9}\.\d{1,9}\.\d{1,9}[0-9A-Za-z.-]{0,27}$/);

/** `fetched`: what the herald brought; `given`: what the installer is given, which a device may have pushed. */
const place = z.enum(["fetched", "given"]);

/** Below `metadata/` and `targets/`, as the node's own check has them once more. */
const path = z.string().regex(/^(?:metadata|targets)\/[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/);

/** A piece in base64. */
const piece = z.base64().max((MAX_PUSH_CHUNK_BYTES / 3) * 4);

export const updateRequests = [
  z.strictObject({ request: z.literal("update") }),
  /** A piece of a file of a release that lies there. */
  z.strictObject({ request: z.literal("read-update"), place, path, offset: count }),
  /** An update approval, signed by an admin's device, for a release that lies there. */
  z.strictObject({ request: z.literal("approve-update"), document: z.base64().max(1024) }),
  /** An update policy, signed by an admin's device. */
  z.strictObject({ request: z.literal("submit-update-policy"), document: z.base64().max(1024) }),
  /** Begins to push a file of a release, or goes on: the answer says from where. */
  z.strictObject({
    request: z.literal("push-update"),
    path,
    bytes: z.int().positive(),
  }),
  z.strictObject({
    request: z.literal("push-update-chunk"),
    path,
    offset: count,
    chunk: piece.min(1),
  }),
] as const;

const bundleSchema = z.strictObject({
  /** Under which it was signed. */
  name: z.string().regex(/^phantoma-node-[0-9A-Za-z.-]{5,32}-linux-(?:x64|arm64)\.tar\.gz$/),
  version,
  /** Of the bundle, as its file is named; who wants to be sure hashes it. */
  sha256: hex32,
  bytes: count,
});

/** The newest version first. Nobody has verified them: one must not hide another. */
const bundles = z.array(bundleSchema).max(MAX_HELD_BUNDLES);

export const updateSchema = z.strictObject({
  /** That runs. */
  version,
  /** Its bundle's SHA-256; zeros for a development tree. */
  release: hex32,
  fetched: bundles,
  given: bundles,
  policy: z.strictObject({ mode: z.enum(["ask", "automatic"]), notAfter: calendarTime }).nullable(),
  /** Of approvals and policies: the next one's counter must be above it. */
  highestCounter: counterText,
  /** How the last update ended, as the installer says it: `error` is null where it runs. */
  outcome: z
    .strictObject({
      version,
      sha256: hex32,
      error: z
        .string()
        .regex(/^ERR_[A-Z_]{1,40}$/)
        .nullable(),
      at: calendarTime,
    })
    .nullable(),
});

export type Update = z.infer<typeof updateSchema>;
export type UpdatePlace = z.infer<typeof place>;

export const updateResponses = [
  z.strictObject({ response: z.literal("update"), update: updateSchema }),
  /** `bytes`: how long the whole file is; `null`: it is not there. */
  z.strictObject({ response: z.literal("piece"), piece, bytes: count.nullable() }),
] as const;
