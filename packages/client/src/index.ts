/**
 * Talk to a node: connection, conversation, control. Everything of ours that talks to one uses this.
 *
 * @module
 */
export { advice, ClientError, type ClientErrorCode } from "./client-error.ts";
export { parseProfile, type NodeProfile } from "./node-profile.ts";
export * from "./device-lists.ts";
export { checkCertificate } from "./certificate-check.ts";
export { Tunnel, type TunnelOptions } from "./tunnel.ts";
export { Conversation, type ConversationOptions, type TurnEvent } from "./conversation.ts";
export { ControlSession, type SignedReceipt } from "./control-session.ts";
export { isPassing, retryDelayMs, withRetry } from "./retry.ts";
export { LocalNode, type LocalNodeOptions } from "./local-node.ts";
