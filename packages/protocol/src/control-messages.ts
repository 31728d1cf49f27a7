/**
 * What a device and a clerk say to each other in a control session: one request and one answer per
 * stream.
 *
 * Specified in PROTOCOL.md, section 5.4.
 *
 * @module
 */
import { MAX_DEVICES } from "@phantoma/crypto";
import { z } from "zod";
import { doctorSchema } from "./doctor-messages.ts";
import { egressSchema } from "./egress-messages.ts";
import { MAX_DEVICE_LISTS, MAX_PUSH_CHUNK_BYTES } from "./limits.ts";
import { calendarTime, count, document, hex32 } from "./message-fields.ts";
import { reportingSchema } from "./reporting-messages.ts";
import { updateRequests, updateResponses } from "./update-messages.ts";
import { vaultRefusals, vaultRequests, vaultResponses } from "./vault-messages.ts";
import { windowSchema } from "./window-messages.ts";

export const ControlKind = { request: 0x11, response: 0x91 } as const;

/** What a person calls a model. */
const modelName = z.string().max(255);

export const controlRequestSchema = z.discriminatedUnion("request", [
  z.strictObject({ request: z.literal("status") }),
  z.strictObject({ request: z.literal("models") }),
  /** The current device list, as signed. */
  z.strictObject({ request: z.literal("devices") }),
  /** The lists after a version, oldest first, as many as fit. */
  z.strictObject({ request: z.literal("device-lists"), after: count.max(2 ** 32 - 1) }),
  /** Receipts of the asking device's tasks (an admin's: of all), newest first; of one task, or below a number. */
  z
    .strictObject({
      request: z.literal("receipts"),
      task: hex32.exactOptional(),
      before: z.int().positive().exactOptional(),
      limit: z.int().min(1).max(100),
    })
    .refine(({ task, before }) => task === undefined || before === undefined),
  /** The next device list, signed by an admin. */
  z.strictObject({ request: z.literal("submit-device-list"), document }),
  /** State of the kernel policy, exact counts, and refused attempts after a sequence. */
  z.strictObject({
    request: z.literal("egress"),
    after: count,
    limit: z.int().min(1).max(200),
  }),
  /** The wipe grade, and what of the machine needs a person. */
  z.strictObject({ request: z.literal("doctor") }),
  z.strictObject({ request: z.literal("window") }),
  /** A window order, signed by an admin's device. */
  z.strictObject({ request: z.literal("open-window"), document }),
  z.strictObject({ request: z.literal("close-window") }),
  /** In which hour each device was last let in, since the keeper started. */
  z.strictObject({ request: z.literal("last-seen") }),
  /** What is reported to whom, and the node's licences. */
  z.strictObject({ request: z.literal("reporting") }),
  /** A standing order, signed by an admin's device. */
  z.strictObject({ request: z.literal("submit-standing-order"), document }),
  /** A licence from a file, for a node that reports to nobody. */
  z.strictObject({ request: z.literal("submit-licence"), document }),
  /** Begins to push a model, or goes on: the answer says from where. */
  z.strictObject({
    request: z.literal("push-model"),
    name: modelName.min(1),
    digest: hex32,
    bytes: z.int().positive(),
  }),
  /** The next piece; one at another place than the end is answered with the end and changes nothing. */
  z.strictObject({
    request: z.literal("push-chunk"),
    digest: hex32,
    offset: count,
    chunk: z
      .base64()
      .min(1)
      .max((MAX_PUSH_CHUNK_BYTES / 3) * 4),
  }),
  z.strictObject({ request: z.literal("remove-model"), digest: hex32 }),
  /** Reads the stored file and compares it with its digest. */
  z.strictObject({ request: z.literal("verify-model"), digest: hex32 }),
  ...updateRequests,
  ...vaultRequests,
]);

export type ControlRequest = z.infer<typeof controlRequestSchema>;

export const modelSchema = z.strictObject({
  name: modelName,
  /** SHA-256 of the file. */
  digest: hex32,
  bytes: count,
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
  tasksLive: count,
  tasksDone: count,
  deviceListVersion: z.int().positive(),
});

export type Status = z.infer<typeof statusSchema>;

/** By its signing key; the time is the beginning of an hour, no finer. */
export const lastSeenSchema = z
  .array(z.strictObject({ device: hex32, hour: calendarTime }))
  .max(MAX_DEVICES);

export type LastSeen = z.infer<typeof lastSeenSchema>;

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
  /** The warden did not accept the order: resolve and sign again. */
  "ERR_ORDER_REFUSED",
  /** A window is open already: wait for its end, or close it. */
  "ERR_WINDOW_OPEN",
  /** The node has no kernel policy, so nothing to open: push the model instead. */
  "ERR_NO_POLICY",
  /** The node's disk is full: remove a model. */
  "ERR_NO_SPACE",
  /** What was pushed is not what its digest says: push it again. */
  "ERR_DIGEST",
  /** The node has no such model, or nobody began to push it: list the models. */
  "ERR_MODEL_UNKNOWN",
  /** A task uses the model: wait for its end. */
  "ERR_MODEL_IN_USE",
  /** The node does not have this release, or not any more: look again at what waits. */
  "ERR_UPDATE_UNKNOWN",
  ...vaultRefusals,
] as const;

export type ControlRefusal = (typeof controlRefusals)[number];

export const controlResponseSchema = z.discriminatedUnion("response", [
  z.strictObject({ response: z.literal("status"), status: statusSchema }),
  z.strictObject({ response: z.literal("models"), models: z.array(modelSchema).max(1000) }),
  z.strictObject({ response: z.literal("devices"), document }),
  z.strictObject({
    response: z.literal("lists"),
    documents: z.array(document).max(MAX_DEVICE_LISTS),
  }),
  z.strictObject({ response: z.literal("receipts"), documents: z.array(document).max(100) }),
  z.strictObject({ response: z.literal("accepted") }),
  z.strictObject({ response: z.literal("egress"), egress: egressSchema }),
  z.strictObject({ response: z.literal("doctor"), doctor: doctorSchema }),
  z.strictObject({ response: z.literal("window"), window: windowSchema }),
  z.strictObject({ response: z.literal("last-seen"), devices: lastSeenSchema }),
  z.strictObject({ response: z.literal("reporting"), reporting: reportingSchema }),
  /** How many bytes the node has; all of them: the model is stored. */
  z.strictObject({ response: z.literal("push"), offset: count }),
  z.strictObject({ response: z.literal("model"), isWhole: z.boolean() }),
  ...updateResponses,
  ...vaultResponses,
  z.strictObject({
    response: z.literal("refused"),
    code: z.enum(controlRefusals),
    message: z.string().max(300),
  }),
]);

export type ControlResponse = z.infer<typeof controlResponseSchema>;
