/**
 * All that the console wants of packages/client, as an interface: a test plays the node.
 *
 * @module
 */
import {
  ControlSession,
  Conversation,
  LocalNode,
  pushModel,
  resolveModel,
  type ConversationOptions,
  type LocalNodeOptions,
  type ModelFile,
  type ModelSource,
  type PushOptions,
  type ResolvedModel,
} from "@phantoma/client";

/** What a conversation with a worker can do; `packages/client` describes each. */
export type LiveConversation = Pick<
  Conversation,
  "opened" | "task" | "certificate" | "closed" | "turn" | "stop" | "end" | "drop"
>;

export type LiveControl = Pick<
  ControlSession,
  | "status"
  | "models"
  | "deviceList"
  | "deviceListsAfter"
  | "submitDeviceList"
  | "lastSeen"
  | "receipts"
  | "egress"
  | "doctor"
  | "window"
  | "openWindow"
  | "closeWindow"
  | "removeModel"
  | "verifyModel"
  | "reporting"
  | "submitStandingOrder"
  | "submitLicence"
  | "release"
  | "update"
  | "readUpdate"
  | "approveUpdate"
  | "submitUpdatePolicy"
  | "vault"
  | "close"
>;

export type LiveNode = Pick<LocalNode, "profile" | "policyReason" | "stop">;

export interface NodeClient {
  openConversation(options: ConversationOptions): Promise<LiveConversation>;
  openControl(
    options: Pick<ConversationOptions, "profile" | "device" | "follow">,
  ): Promise<LiveControl>;
  startNode(options: LocalNodeOptions): Promise<LiveNode>;
  resolveModel(source: ModelSource): Promise<ResolvedModel>;
  pushModel(file: ModelFile, options: PushOptions): Promise<void>;
}

export const realClient: NodeClient = {
  openConversation: (options) => Conversation.open(options),
  openControl: (options) => ControlSession.open(options),
  startNode: (options) => LocalNode.start(options),
  resolveModel,
  pushModel,
};
