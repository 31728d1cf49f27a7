/**
 * The single list of what the page may ask the console and be told by it.
 *
 * Both shells offer the page the same {@link Bridge} as `window.phantoma`: Electron's preload, or a
 * script that the web console serves before the page's own. The page imports types from here and
 * nothing else of ours.
 *
 *   request   one question, one result
 *   stream    one question, many events, then `closed`; closing it is Stop
 *   event     told to every page, unasked
 *
 * @module
 */
import { z } from "zod";
import { consoleErrorSchema, type Result } from "./console-error.ts";
import {
  answerEventSchema,
  answerInputSchema,
  conversationSchema,
  conversationSummarySchema,
  idSchema,
  MAX_TEXT_CHARS,
  MAX_TITLE_CHARS,
  workerSchema,
} from "./conversation.ts";
import {
  askedSchema,
  codeSchema,
  deviceListSchema,
  deviceNameSchema,
  joiningSchema,
  kitCheckSchema,
  kitFileSchema,
  kitMadeSchema,
  kitOpenedSchema,
  MAX_CODE_CHARS,
  passphraseSchema,
  roleSchema,
  safetySchema,
} from "./devices.ts";
import { doctorSchema } from "./doctor.ts";
import { egressSchema, MAX_LISTED_ATTEMPTS } from "./egress.ts";
import { lockSchema, MAX_IDLE_MINUTES } from "./lock.ts";
import {
  MAX_PART_BYTES,
  MAX_WINDOW_MINUTES,
  proposalSchema,
  pushEventSchema,
  pushIdSchema,
  transferSchema,
  windowSchema,
} from "./models.ts";
import {
  hex32Schema,
  modelSchema,
  nodeSchema,
  nodeStatusSchema,
  receiptGapSchema,
  receiptSchema,
} from "./node.ts";
import { setupRequests, setupSchema } from "./setup.ts";
import { licenceFileSchema, reportingSchema, updateSchema } from "./updates.ts";
import {
  MAX_IMPORT_CHARS,
  MAX_QUERY_CHARS,
  savedDevicesSchema,
  savedListSchema,
  syncResultSchema,
} from "./saved.ts";

export const settingsSchema = z.strictObject({
  theme: z.enum(["light", "dark", "system"]),
  /** BCP 47, or `system`. */
  language: z.string().regex(/^(system|[a-z]{2,3}(-[A-Z]{2})?)$/),
});

/** Where the device key lies, and what a person should know about that. */
export const keyStoreSchema = z.strictObject({
  /** Electron's name of the backend (`gnome_libsecret`, `kwallet6`, …), or `file`. */
  backend: z.string().max(64),
  /** Whether the system's key store keeps it from other programs of this user. */
  isProtected: z.boolean(),
  /**
   * KEY_FILE: a file that only this user can read · KEY_BASIC_TEXT: the system offered no key store,
   * only a fixed password · KEY_UNAVAILABLE: the system's encryption does not work here ·
   * KEY_BACKEND_CHANGED: another store than the one the key was put in; it was not opened
   */
  note: z.enum(["KEY_FILE", "KEY_BASIC_TEXT", "KEY_UNAVAILABLE", "KEY_BACKEND_CHANGED"]).nullable(),
});

export const demoSchema = z.strictObject({
  /** preparing: keys and folders · starting: processes and models · connecting: first status */
  step: z.enum(["idle", "preparing", "starting", "connecting", "ready", "failed", "stopping"]),
  nodeId: hex32Schema.nullable(),
  error: consoleErrorSchema.nullable(),
});

export const consoleStateSchema = z.strictObject({
  version: z.string(),
  shell: z.enum(["electron", "web"]),
  keyStore: keyStoreSchema,
  nodes: z.array(nodeSchema),
  demo: demoSchema,
  settings: settingsSchema,
});

/** Which node other programs of this machine may ask, and how; all `null` where none. */
export const endpointSchema = z.strictObject({
  node: hex32Schema.nullable(),
  url: z.string().max(64).nullable(),
  /** Where the first program's key lies; other files beside it are keys of others. */
  keyFile: z.string().max(4096).nullable(),
});

const nothing = z.strictObject({});
/** A receipt's number; `null` for the newest. */
const beforeSchema = z.int().positive().nullable();

const node = z.strictObject({ node: hex32Schema });
const device = z.strictObject({ node: hex32Schema, device: hex32Schema });
const conversation = z.strictObject({ conversation: idSchema });

export const requests = {
  /** All that a first paint needs. */
  "console.state": { input: nothing, output: consoleStateSchema },
  /** Starts a node on this machine; resolves when it answers. Progress comes as `demo.changed`. */
  "demo.start": { input: nothing, output: nodeSchema },
  /** A person compared the fingerprint: from now on the node may be used. */
  "nodes.confirm": { input: node, output: nodeSchema },
  /** Ends its conversations, forgets its address and keys; a demo node is stopped. */
  "nodes.forget": { input: node, output: nothing },
  "nodes.status": {
    input: node,
    output: z.strictObject({
      node: nodeSchema,
      status: nodeStatusSchema,
      models: z.array(modelSchema),
    }),
  },
  /** Newest first. */
  "conversations.list": {
    input: nothing,
    output: z.strictObject({ conversations: z.array(conversationSummarySchema) }),
  },
  "conversations.create": {
    input: z.strictObject({
      node: hex32Schema,
      model: hex32Schema,
      mode: z.enum(["conversation", "turn"]),
    }),
    output: conversationSchema,
  },
  "conversations.get": { input: conversation, output: conversationSchema },
  "conversations.rename": {
    input: z.strictObject({ conversation: idSchema, title: z.string().max(MAX_TITLE_CHARS) }),
    output: conversationSummarySchema,
  },
  /** Ends its worker and forgets it. */
  "conversations.remove": { input: conversation, output: nothing },
  /** Unsent text, so that a reload does not lose it. */
  "conversations.setDraft": {
    input: z.strictObject({ conversation: idSchema, text: z.string().max(MAX_TEXT_CHARS) }),
    output: nothing,
  },
  /** Shows another branch: names any message; the head becomes the newest end below it. */
  "conversations.setHead": {
    input: z.strictObject({ conversation: idSchema, message: idSchema }),
    output: z.strictObject({ head: idSchema }),
  },
  /** Ends the worker now; the node wipes it. `null` where the node gave no receipt in time. */
  "chat.end": {
    input: conversation,
    output: z.strictObject({ receipt: receiptSchema.nullable() }),
  },
  /**
   * The newest, or those before a number, each verified with the keys of node and warden; what is missing
   * between them; and what the older ones are asked for with.
   */
  "receipts.list": {
    input: z.strictObject({ node: hex32Schema, before: beforeSchema }),
    output: z.strictObject({
      receipts: z.array(receiptSchema),
      missing: z.array(receiptGapSchema),
      next: beforeSchema,
    }),
  },
  /** One, or with no task those of a list, as a file for `phantoma verify receipt`. */
  "receipts.export": {
    input: z.strictObject({
      node: hex32Schema,
      task: hex32Schema.nullable(),
      before: beforeSchema,
    }),
    output: z.strictObject({ path: z.string().max(4_096) }),
  },
  "receipts.get": {
    input: z.strictObject({ node: hex32Schema, task: hex32Schema }),
    output: z.strictObject({ receipt: receiptSchema.nullable() }),
  },
  /** What the node's kernel refused: state, counts, and what was logged after a sequence. */
  "egress.read": {
    input: z.strictObject({
      node: hex32Schema,
      after: z.int().nonnegative(),
      limit: z.int().min(1).max(MAX_LISTED_ATTEMPTS),
    }),
    output: egressSchema,
  },
  /** The wipe grade, and what of the node's machine needs a person. */
  "doctor.read": { input: node, output: doctorSchema },
  /** What the node tells a control plane, and its licences. */
  "reporting.read": { input: node, output: reportingSchema },
  /** An order that names no place: nothing is sent from then on. */
  "reporting.stop": { input: node, output: nothing },
  "licences.take": {
    input: z.strictObject({ node: hex32Schema, document: licenceFileSchema }),
    output: nothing,
  },
  /** Which release runs; which one waits, verified here. */
  "updates.read": { input: node, output: updateSchema },
  /** Signs an approval for exactly this bundle, if it is still what waits. */
  "updates.approve": {
    input: z.strictObject({ node: hex32Schema, sha256: hex32Schema }),
    output: nothing,
  },
  "updates.setPolicy": {
    input: z.strictObject({ node: hex32Schema, isAutomatic: z.boolean() }),
    output: nothing,
  },
  /** The open window, and the transfers since the node started. */
  "window.get": { input: node, output: windowSchema },
  /** Resolves an address here; nothing is signed or sent to the node. The last one of a node is kept. */
  "window.propose": {
    input: z.strictObject({
      node: hex32Schema,
      address: z.string().min(1).max(2048),
      /** Where the host does not state it. */
      digest: hex32Schema.optional(),
    }),
    output: proposalSchema,
  },
  /** Signs an order for exactly what was proposed, and hands it to the node. */
  "window.open": {
    input: z.strictObject({
      node: hex32Schema,
      proposal: proposalSchema.shape.id,
      minutes: z.int().min(1).max(MAX_WINDOW_MINUTES),
    }),
    output: windowSchema,
  },
  "window.close": { input: node, output: nothing },
  "models.remove": {
    input: z.strictObject({ node: hex32Schema, digest: hex32Schema }),
    output: nothing,
  },
  /** The node reads the file again and compares it with its digest. */
  "models.verify": {
    input: z.strictObject({ node: hex32Schema, digest: hex32Schema }),
    output: z.strictObject({ isWhole: z.boolean() }),
  },
  /** The part that the stream `models.push` wants now. */
  "models.part": {
    input: z.strictObject({
      push: pushIdSchema,
      part: z.base64().max(4 * Math.ceil(MAX_PART_BYTES / 3)),
    }),
    output: nothing,
  },
  /** Conversations that were saved; with words, those that have all of them. */
  "saved.list": {
    input: z.strictObject({ query: z.string().max(MAX_QUERY_CHARS) }),
    output: savedListSchema,
  },
  /** Saves what a conversation holds now; until then it is in memory only. */
  "saved.save": { input: conversation, output: nothing },
  /** Takes a saved one up again, to be continued with a model of this node. */
  "saved.open": {
    input: z.strictObject({ saved: idSchema, node: hex32Schema }),
    output: conversationSchema,
  },
  /** Overwrites its key here now, and at the node with the next sync. */
  "saved.delete": { input: z.strictObject({ saved: idSchema }), output: nothing },
  /** One, or all, as a file that is not sealed. */
  "saved.export": {
    input: z.strictObject({ saved: idSchema.nullable(), format: z.enum(["json", "markdown"]) }),
    output: z.strictObject({ path: z.string().max(4_096) }),
  },
  "saved.import": {
    input: z.strictObject({ text: z.string().max(MAX_IMPORT_CHARS) }),
    output: z.strictObject({ imported: z.int().nonnegative() }),
  },
  /** Keeps them, sealed, at a node as well; brings what other devices saved. */
  "saved.sync": { input: node, output: syncResultSchema },
  "saved.devices": { input: node, output: savedDevicesSchema },
  /** Another device of this person's, which asked for it, has all that is saved from now on. */
  "saved.admit": {
    input: z.strictObject({ node: hex32Schema, device: hex32Schema }),
    output: syncResultSchema,
  },
  /** This one shall have what that device saved; it is admitted there. */
  "saved.join": {
    input: z.strictObject({ node: hex32Schema, device: hex32Schema }),
    output: nothing,
  },
  /** Who may use the node. The list is as the node gave it, and not older than one seen here. */
  "devices.list": { input: node, output: deviceListSchema },
  /** A new invitation, which ends the one before. */
  "devices.invite": { input: node, output: codeSchema },
  /** What a new device's code asks for, and the words to compare; costs one of five tries. */
  "devices.look": {
    input: z.strictObject({ node: hex32Schema, code: z.string().max(MAX_CODE_CHARS) }),
    output: askedSchema,
  },
  /** A person saw the same six words on both: signs the next list. */
  "devices.add": {
    input: z.strictObject({ node: hex32Schema, name: deviceNameSchema, role: roleSchema }),
    output: deviceListSchema,
  },
  /** The words differ, or nobody goes on: the invitation is over. */
  "devices.refuse": { input: node, output: nothing },
  "devices.rename": {
    input: device.extend({ name: deviceNameSchema }),
    output: deviceListSchema,
  },
  "devices.setRole": { input: device.extend({ role: roleSchema }), output: deviceListSchema },
  "devices.revoke": { input: device, output: deviceListSchema },
  /** The safety number of this device and another one. */
  "devices.compare": { input: device, output: safetySchema },
  /** On a new device: takes an invitation up; nothing is sent to its node yet. */
  "pairing.join": {
    input: z.strictObject({ invitation: z.string().max(MAX_CODE_CHARS), name: deviceNameSchema }),
    output: joiningSchema,
  },
  /** A person saw the same words on the admin's device: waits until the node lets this one in. */
  "pairing.accept": { input: nothing, output: nodeSchema },
  "pairing.leave": { input: nothing, output: nothing },
  /** Without a passphrase words are made. */
  "recovery.make": {
    input: z.strictObject({ node: hex32Schema, passphrase: passphraseSchema.nullable() }),
    output: kitMadeSchema,
  },
  "recovery.check": {
    input: z.strictObject({ node: hex32Schema, kit: kitFileSchema, passphrase: passphraseSchema }),
    output: kitCheckSchema,
  },
  /** Asks the kit's node which devices there are; signs nothing. */
  "recovery.open": {
    input: z.strictObject({ kit: kitFileSchema, passphrase: passphraseSchema }),
    output: kitOpenedSchema,
  },
  /** Takes this device in as an admin and revokes the lost ones, by the kit that was opened. */
  "recovery.restore": {
    input: z.strictObject({ name: deviceNameSchema, lost: z.array(hex32Schema).max(64) }),
    output: nodeSchema,
  },
  "lock.get": { input: nothing, output: lockSchema },
  /** Ends everything that is open and erases the keys. */
  "lock.now": { input: nothing, output: lockSchema },
  "lock.open": {
    input: z.strictObject({ passphrase: passphraseSchema.nullable() }),
    output: lockSchema,
  },
  /** From now on only this passphrase opens the device's key. `current`: the one that does so now, where one does. */
  "lock.setPassphrase": {
    input: z.strictObject({ passphrase: passphraseSchema, current: passphraseSchema.nullable() }),
    output: lockSchema,
  },
  "lock.setIdle": {
    input: z.strictObject({ minutes: z.int().min(1).max(MAX_IDLE_MINUTES).nullable() }),
    output: lockSchema,
  },
  /** Somebody is there. */
  "lock.active": { input: nothing, output: nothing },
  ...setupRequests,
  "endpoint.get": { input: nothing, output: endpointSchema },
  /** Lets programs ask this node, or none. */
  "endpoint.set": {
    input: z.strictObject({ node: hex32Schema.nullable() }),
    output: endpointSchema,
  },
  /** The key in `keyFile`, for the clipboard. */
  "endpoint.key": { input: nothing, output: z.strictObject({ key: z.string().max(64) }) },
  "settings.get": { input: nothing, output: settingsSchema },
  "settings.set": { input: settingsSchema.partial(), output: settingsSchema },
  /** Asks the person, then hands an https or mailto address to the system. Electron only. */
  "links.open": {
    input: z.strictObject({ url: z.string().max(2048) }),
    output: z.strictObject({ wasOpened: z.boolean() }),
  },
} as const satisfies Record<string, { input: z.ZodType; output: z.ZodType }>;

export const streams = {
  "chat.answer": { input: answerInputSchema, event: answerEventSchema },
  /** Sends a file that a person chose on this machine; one at a time. */
  "models.push": {
    input: z.strictObject({
      node: hex32Schema,
      name: z.string().min(1).max(255),
      bytes: transferSchema.shape.bytes,
    }),
    event: pushEventSchema,
  },
} as const satisfies Record<string, { input: z.ZodType; event: z.ZodType }>;

export const consoleEventSchema = z.discriminatedUnion("event", [
  z.strictObject({ event: z.literal("node.changed"), node: nodeSchema }),
  z.strictObject({ event: z.literal("node.removed"), node: hex32Schema }),
  z.strictObject({ event: z.literal("demo.changed"), demo: demoSchema }),
  /** The worker's state moved: connected, queued, idle deadline set, ended. */
  z.strictObject({
    event: z.literal("conversation.worker"),
    conversation: idSchema,
    worker: workerSchema,
  }),
  /** Messages, title or head changed: fetch it again. Not sent for each delta. */
  z.strictObject({ event: z.literal("conversation.changed"), conversation: idSchema }),
  z.strictObject({ event: z.literal("conversation.removed"), conversation: idSchema }),
  z.strictObject({ event: z.literal("setup.changed"), setup: setupSchema }),
  /** Something was saved, deleted or synced: list them again. */
  z.strictObject({ event: z.literal("saved.changed") }),
  z.strictObject({ event: z.literal("settings.changed"), settings: settingsSchema }),
  /** The keys are gone: the page has to be, too. */
  z.strictObject({ event: z.literal("console.locked") }),
  /** Made by the bridge itself: whether the console behind the page can be reached. */
  z.strictObject({ event: z.literal("console.connection"), isConnected: z.boolean() }),
]);

export type Settings = z.infer<typeof settingsSchema>;
export type EndpointView = z.infer<typeof endpointSchema>;
export type KeyStoreView = z.infer<typeof keyStoreSchema>;
export type Demo = z.infer<typeof demoSchema>;
export type ConsoleState = z.infer<typeof consoleStateSchema>;
export type ConsoleEvent = z.infer<typeof consoleEventSchema>;

export type RequestName = keyof typeof requests;
export type RequestInput<N extends RequestName> = z.input<(typeof requests)[N]["input"]>;
export type RequestOutput<N extends RequestName> = z.output<(typeof requests)[N]["output"]>;
export type StreamName = keyof typeof streams;
export type StreamInput<N extends StreamName> = z.input<(typeof streams)[N]["input"]>;
export type StreamEvent<N extends StreamName> = z.output<(typeof streams)[N]["event"]>;

/** What `window.phantoma` is, in both shells. No function of it throws or rejects. */
export interface Bridge {
  readonly request: <N extends RequestName>(
    name: N,
    input: RequestInput<N>,
  ) => Promise<Result<RequestOutput<N>>>;
  /** @returns the function that closes it, which is Stop; `onClosed` is called once, always */
  readonly openStream: <N extends StreamName>(
    name: N,
    input: StreamInput<N>,
    onEvent: (event: StreamEvent<N>) => void,
    onClosed: () => void,
  ) => () => void;
  /** @returns the function that ends the subscription */
  readonly subscribe: (listener: (event: ConsoleEvent) => void) => () => void;
}

export type { ConsoleError, Result } from "./console-error.ts";
export type { ErrorCode, ProvisionCode } from "./error-codes.ts";
export type * from "./conversation.ts";
export type * from "./devices.ts";
export type * from "./doctor.ts";
export type * from "./egress.ts";
export type * from "./lock.ts";
export type * from "./models.ts";
export type * from "./node.ts";
export type * from "./setup.ts";
export type * from "./updates.ts";
export type * from "./saved.ts";
