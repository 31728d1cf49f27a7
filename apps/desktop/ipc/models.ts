/**
 * How a model comes to a node: through a maintenance window, or pushed from this machine.
 *
 *   window   an address is resolved here; a person sees what would be reachable; an order is signed
 *   push     the page hands over a file that a person chose, part by part, when the console wants one:
 *            twice, since a node is told the digest first
 *
 * @module
 */
import { z } from "zod";
import { consoleErrorSchema } from "./console-error.ts";
import { hex32Schema, modelSchema, timeSchema } from "./node.ts";

/** The longest that a node keeps a window open. */
export const MAX_WINDOW_MINUTES = 30;

/** A part of a chosen file, in bytes: large enough to be fast, small enough to hold two of. */
export const MAX_PART_BYTES = 990_000;

/** The largest file that is offered, in bytes: the largest models of today, twice. */
const MAX_FILE_BYTES = 2 ** 41;

const bytes = z.int().min(0).max(MAX_FILE_BYTES);

const endpointSchema = z.strictObject({
  name: z.string().max(253),
  /** Of IPv4 or IPv6, as text. */
  address: z.string().max(45),
  port: z.int().min(0).max(65_535),
});

/** What an order would open, before a person has agreed to it. */
export const proposalSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** Every name and address that the fetcher could reach, and no other. */
  endpoints: z.array(endpointSchema).max(64),
  /** By name, SHA-256 and exact size; nothing else is kept. */
  files: z.array(z.strictObject({ name: z.string().max(255), digest: hex32Schema, bytes })).max(64),
  /** Whose word the SHA-256 is: nobody else vouches for what a host says of its own file. */
  digestFrom: z.enum(["given", "host"]),
  /** Those of a local network or of the node's own machine. */
  privateAddresses: z.array(z.string().max(45)).max(64),
});

export const transferSchema = z.strictObject({
  name: z.string().max(255),
  digest: hex32Schema,
  bytes,
  received: bytes,
  state: z.enum(["waiting", "fetching", "storing", "stored", "failed"]),
  /** Why it failed; the page knows the codes of today, and shows others as they are. */
  error: z.string().max(64).nullable(),
});

export const windowSchema = z.strictObject({
  open: z
    .strictObject({
      counter: z.string().regex(/^\d{1,20}$/),
      notAfter: timeSchema,
      endpoints: proposalSchema.shape.endpoints,
      files: proposalSchema.shape.files,
    })
    .nullable(),
  highestCounter: z.string().regex(/^\d{1,20}$/),
  /** Of the open window, or of the last one. */
  transfers: z.array(transferSchema).max(64),
  /** Of windows before that one, as far as this console saw them; newest first. */
  earlier: z.array(transferSchema).max(50),
});

export const pushIdSchema = z.string().regex(/^[0-9a-f]{16}$/);

export const pushEventSchema = z.discriminatedUnion("type", [
  /** Hand over this part with `models.part`; what lies before it is done. */
  z.strictObject({
    type: z.literal("want"),
    push: pushIdSchema,
    stage: z.enum(["hash", "send"]),
    offset: bytes,
    length: z.int().min(1).max(MAX_PART_BYTES),
  }),
  /** Last: the node has it, whole. */
  z.strictObject({ type: z.literal("stored"), model: modelSchema }),
  /** Last, when it did not go well. What the node has received it keeps for a while. */
  z.strictObject({ type: z.literal("error"), error: consoleErrorSchema, answer: z.null() }),
]);

export type Proposal = z.infer<typeof proposalSchema>;
export type Transfer = z.infer<typeof transferSchema>;
export type NodeWindow = z.infer<typeof windowSchema>;
export type PushEvent = z.infer<typeof pushEventSchema>;
