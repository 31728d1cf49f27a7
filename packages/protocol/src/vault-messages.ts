/**
 * How a device keeps sealed objects at a node, and changes all of them in one step or not at all.
 *
 * The node sees names, sizes and signed documents; what is sealed it cannot open. Specified in PROTOCOL.md, section 5.6.
 *
 * @module
 */
import { MAX_VAULT_BLOB_BYTES, MAX_VAULT_MEMBERS, VAULT_ROW_BYTES } from "@phantoma/crypto";
import { z } from "zod";
import { MAX_VAULT_CHANGES, MAX_VAULT_GET, MAX_VAULT_ROWS } from "./limits.ts";
import { count, document, hex32 } from "./message-fields.ts";

const base64Chars = (bytes: number) => 4 * Math.ceil(bytes / 3);
const object = z.string().regex(/^[0-9a-f]{16}$/);

/** X-Wing ciphertext (1,120) and the sealed key (128) for each member. */
export const MAX_WRAPS_BYTES = MAX_VAULT_MEMBERS * 1248;

/** In a listed row, after the fields of the root: in which version of the vault it last changed. */
export const LISTED_ROW_BYTES = VAULT_ROW_BYTES + 4;

export const vaultRequests = [
  /** The newest head of the device's vault, and how full it is. */
  z.strictObject({ request: z.literal("vault") }),
  /** Heads after a version, epochs after a number, or all devices' cards; as many as fit. */
  z.strictObject({
    request: z.literal("vault-documents"),
    of: z.enum(["heads", "epochs", "cards"]),
    after: count.max(2 ** 32 - 1),
  }),
  /** This device's X-Wing key, signed by it, and who may admit it; zeros: nobody. */
  z.strictObject({ request: z.literal("vault-card"), document, inviter: hex32 }),
  /** What changed after a version, from an object's name on; refused when `version` is not the newest. */
  z.strictObject({
    request: z.literal("vault-rows"),
    version: z.int().positive(),
    after: count,
    from: object,
  }),
  /** As many of the objects, in this order, as fit into an answer. */
  z.strictObject({
    request: z.literal("vault-get"),
    objects: z.array(object).min(1).max(MAX_VAULT_GET),
  }),
  /** Sealed bytes that the next commit may name. */
  z.strictObject({
    request: z.literal("vault-put"),
    blob: z.base64().min(1).max(base64Chars(MAX_VAULT_BLOB_BYTES)),
  }),
  /** The next head, with what is different; with the next epoch and its wraps, where the key turns. */
  z.strictObject({
    request: z.literal("vault-commit"),
    head: document,
    epoch: document.nullable(),
    wraps: z.base64().max(base64Chars(MAX_WRAPS_BYTES)),
    /** Rows of the root; a hash of zeros removes the object. */
    changes: z.base64().max(base64Chars(MAX_VAULT_CHANGES * VAULT_ROW_BYTES)),
  }),
  /** This device has the vault no more; with the last device it goes. */
  z.strictObject({ request: z.literal("vault-leave") }),
] as const;

/** Why a request about a vault was refused. */
export const vaultRefusals = [
  /** Another device was faster: sync again. */
  "ERR_VAULT_CONFLICT",
  /** It would hold more than a vault, or the node, may: delete what is no longer needed. */
  "ERR_VAULT_FULL",
  /** The device has no vault here, or it has no such object: sync again. */
  "ERR_VAULT_UNKNOWN",
] as const;

export const vaultResponses = [
  z.strictObject({
    response: z.literal("vault"),
    /** `null`: the device has no vault here. */
    head: document.nullable(),
    wraps: z.base64().max(base64Chars(MAX_WRAPS_BYTES)),
    usedBytes: count,
    maxBytes: count,
  }),
  z.strictObject({
    response: z.literal("vault-documents"),
    documents: z.array(document).max(4096),
  }),
  z.strictObject({
    response: z.literal("vault-rows"),
    rows: z.base64().max(base64Chars(MAX_VAULT_ROWS * LISTED_ROW_BYTES)),
  }),
  z.strictObject({
    response: z.literal("vault-blobs"),
    blobs: z.array(z.base64().max(base64Chars(MAX_VAULT_BLOB_BYTES))).max(MAX_VAULT_GET),
  }),
] as const;
