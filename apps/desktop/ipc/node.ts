/**
 * A node, its models, its status and its receipts, as the page sees them.
 *
 * @module
 */
import { z } from "zod";
import { consoleErrorSchema } from "./console-error.ts";

/** SHA-256 or a public key, in hex. */
export const hex32Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** Milliseconds since 1970 UTC. */
export const timeSchema = z.int().nonnegative();

/** How well memory is wiped; "wiped" is said at A only. */
export const gradeSchema = z.enum(["A", "B", "C"]);

/** One public key in three forms for people to compare. All say the same. */
export const fingerprintSchema = z.strictObject({
  /** 12 groups of five decimal digits. */
  digits: z.string().max(80),
  /** 12 words, 96 bits of the digest behind the digits. */
  words: z.array(z.string()).length(12),
  /** 16 colours as numbers from 0 to 7; the page owns the palette and names each colour. */
  blocks: z.array(z.int().min(0).max(7)).length(16),
});

export const nodeSchema = z.strictObject({
  /** The node's public key: what it is, whatever its address. */
  id: hex32Schema,
  name: z.string().max(64),
  url: z.string().max(300),
  kind: z.enum(["demo", "provisioned"]),
  /** A person has compared the fingerprint. No conversation is opened before that. */
  isConfirmed: z.boolean(),
  fingerprint: fingerprintSchema,
  /** unknown: not asked yet */
  state: z.enum(["unknown", "connecting", "online", "offline"]),
  /** Why it is offline. */
  error: consoleErrorSchema.nullable(),
  /** Who makes its workers; `gateway` is demo mode, shown permanently. */
  starter: z.enum(["systemd", "gateway"]),
  /** What its kernel enforces, as last reported. */
  policy: z.enum(["none", "demo", "enforced"]).nullable(),
  /** Why a demo node's kernel policy could not be used here. */
  policyReason: z.string().max(2000).nullable(),
  /** What its device list lets this device do; `null` until it was asked. */
  role: z.enum(["admin", "chat"]).nullable(),
});

export const modelSchema = z.strictObject({
  digest: hex32Schema,
  name: z.string().max(255),
  bytes: z.int().nonnegative(),
});

export const nodeStatusSchema = z.strictObject({
  version: z.string().max(32),
  release: hex32Schema,
  starter: z.enum(["systemd", "gateway"]),
  policy: z.enum(["none", "demo", "enforced"]),
  nodeTime: timeSchema,
  startedAt: timeSchema,
  tasksLive: z.int().nonnegative(),
  tasksDone: z.int().nonnegative(),
  deviceListVersion: z.int().positive(),
});

/** A receipt whose signature was checked with the node's key. What was not measured is `null`. */
export const receiptSchema = z.strictObject({
  /** SHA-256 of the task's ticket. */
  task: hex32Schema,
  sequence: z.int().nonnegative(),
  /** When the node's keeper started; the sequence begins anew then. */
  epoch: timeSchema,
  model: hex32Schema,
  release: hex32Schema,
  certifiedAt: timeSchema,
  endedAt: timeSchema,
  /** Of the machine while the task ran: the keeper's word. `null`: not recorded. */
  grade: gradeSchema.nullable(),
  /** Witness: the cell around the worker. */
  cell: z
    .strictObject({
      end: z.enum(["finished", "timeout", "disconnected", "crashed", "killed", "memory"]),
      wipedBytes: z.int().nonnegative(),
      wipedAt: timeSchema,
    })
    .nullable(),
  /** Witness: the warden. */
  warden: z
    .strictObject({
      attempts: z.int().nonnegative(),
      unreported: z.int().nonnegative(),
      policy: hex32Schema,
      /** With the warden's own key, which set-up told us; otherwise it is the keeper's word. */
      isSigned: z.boolean(),
    })
    .nullable(),
  /** Of a task that this console had since it started: what its connection proved is what this says. */
  isOwn: z.boolean(),
  /** The signed bytes in base64, for whoever wants to check them again. */
  document: z.string().max(90_000),
});

/** Numbers that the node did not give to an admin, who is given every receipt. */
export const receiptGapSchema = z.strictObject({
  epoch: timeSchema,
  from: z.int().positive(),
  to: z.int().positive(),
});

export type Fingerprint = z.infer<typeof fingerprintSchema>;
export type NodeView = z.infer<typeof nodeSchema>;
export type Model = z.infer<typeof modelSchema>;
export type NodeStatus = z.infer<typeof nodeStatusSchema>;
export type Receipt = z.infer<typeof receiptSchema>;
export type ReceiptGap = z.infer<typeof receiptGapSchema>;
