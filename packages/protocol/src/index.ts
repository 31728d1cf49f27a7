/**
 * The wire: records, messages, secure channel, limits. PROTOCOL.md is the normative text.
 *
 * @module
 */
export { ProtocolError, type ProtocolErrorCode } from "./protocol-error.ts";
export * from "./limits.ts";
export type { Received } from "./inbox.ts";
export { SecureChannel } from "./secure-channel.ts";
export { bucketRecords, SteadyAnswer } from "./steady-answer.ts";
export * from "./upgrade.ts";
export { decodeNote, encodeNote, type Note } from "./notes.ts";
export { decodeJson, decodeText, encodeJson } from "./json-message.ts";
export * from "./task-messages.ts";
export * from "./logprobs.ts";
export * from "./control-messages.ts";
export * from "./doctor-advice.ts";
export * from "./doctor-messages.ts";
export * from "./egress-messages.ts";
export * from "./window-messages.ts";
export * from "./heartbeat-exchange.ts";
export * from "./reporting-messages.ts";
export { updateSchema, type Update, type UpdatePlace } from "./update-messages.ts";
export * from "./vault-messages.ts";
