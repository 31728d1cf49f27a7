/**
 * What a device and a clerk say to each other in a control session: one request and one answer per
 * stream.
 *
 * Specified in PROTOCOL.md, section 5.4.
 *
 * @module
 */
import { MAX_DOCUMENT_BYTES } from "@phantoma/crypto";
import { z } from "zod";

export const ControlKind = { request: 0x11, response: 0x91 } as const;

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
/** A signed document in base64; who reads it verifies it. */
const document = z.base64().max(4 * Math.ceil(MAX_DOCUMENT_BYTES / 3));

/** Milliseconds since 1970 UTC that a Date can show. */
const calendarTime = z.int().min(0).max(8.64e15);

export const controlRequestSchema = z.discriminatedUnion("request", [
  z.strictObject({ request: z.literal("status") }),
  z.strictObject({ request: z.literal("models") }),
  /** The current device list, as signed. */
  z.strictObject({ request: z.literal("devices") }),
  /** Receipts of the asking device's tasks (an admin's: of all), newest first. */
  z.strictObject({
    request: z.literal("receipts"),
    task: hex32.exactOptional(),
    limit: z.int().min(1).max(100),
  }),
  /** The next device list, signed by an admin. */
  z.strictObject({ request: z.literal("submit-device-list"), document }),
]);

export type ControlRequest = z.infer<typeof controlRequestSchema>;

export const modelSchema = z.strictObject({
  name: z.string().max(255),
  /** SHA-256 of the file. */
  digest: hex32,
  bytes: z.int().nonnegative(),
});

export type Model = z.infer<typeof modelSchema>;

export const statusSchema = z.strictObject({
  /** Of the node's software. */
  version: z.string().regex(/^[\w.+-]{1,32}$/),
  release: hex32,
  starter: z.enum(["systemd", "gateway"]),
  policy: z.enum(["none", "demo", "enforced"]),
  /** Milliseconds since 1970 UTC by the node's clock. */
  nodeTime: calendarTime,
  startedAt: calendarTime,
  tasksLive: z.int().nonnegative(),
  tasksDone: z.int().nonnegative(),
  deviceListVersion: z.int().positive(),
});

export type Status = z.infer<typeof statusSchema>;

/** Why a control request was refused. */
export const controlRefusals = [
  /** Not of its schema: update the client. */
  "ERR_INVALID_MESSAGE",
  /** The device may not do this: use an admin's device. */
  "ERR_FORBIDDEN",
  /** The document was not accepted: fetch the current list and sign again. */
  "ERR_DOCUMENT_REFUSED",
  /** The keeper does not answer: try again later. */
  "ERR_UNAVAILABLE",
] as const;

export type ControlRefusal = (typeof controlRefusals)[number];

export const controlResponseSchema = z.discriminatedUnion("response", [
  z.strictObject({ response: z.literal("status"), status: statusSchema }),
  z.strictObject({ response: z.literal("models"), models: z.array(modelSchema).max(1000) }),
  z.strictObject({ response: z.literal("devices"), document }),
  z.strictObject({ response: z.literal("receipts"), documents: z.array(document).max(100) }),
  z.strictObject({ response: z.literal("accepted") }),
  z.strictObject({
    response: z.literal("refused"),
    code: z.enum(controlRefusals),
    message: z.string().max(300),
  }),
]);

export type ControlResponse = z.infer<typeof controlResponseSchema>;
