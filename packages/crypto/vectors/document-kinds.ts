/**
 * The product's document kinds by the names of their vector files.
 *
 * @module
 */
import { certificateDocument } from "../src/documents/certificate.ts";
import { deviceListDocument } from "../src/documents/device-list.ts";
import type { DocumentKind } from "../src/documents/document.ts";
import { heartbeatDocument } from "../src/documents/heartbeat.ts";
import { heartbeatAnswerDocument } from "../src/documents/heartbeat-answer.ts";
import { licenceDocument } from "../src/documents/licence.ts";
import {
  standingOrderDocument,
  updateApprovalDocument,
  updatePolicyDocument,
  windowOrderDocument,
} from "../src/documents/orders.ts";
import { firstReceiptDocument, receiptDocument } from "../src/documents/receipt.ts";
import { successionDocument } from "../src/documents/succession.ts";
import { ticketDocument } from "../src/documents/ticket.ts";
import {
  vaultCardDocument,
  vaultEpochDocument,
  vaultHeadDocument,
} from "../src/documents/vault.ts";
import type { DocumentFile } from "./document-layouts.ts";

export const documentKinds: Readonly<Record<DocumentFile, DocumentKind<any>>> = {
  ticket: ticketDocument,
  certificate: certificateDocument,
  "device-list": deviceListDocument,
  "window-order": windowOrderDocument,
  "update-approval": updateApprovalDocument,
  receipt: firstReceiptDocument,
  heartbeat: heartbeatDocument,
  licence: licenceDocument,
  "standing-order": standingOrderDocument,
  "heartbeat-answer": heartbeatAnswerDocument,
  "receipt-2": receiptDocument,
  "update-policy": updatePolicyDocument,
  "vault-card": vaultCardDocument,
  "vault-epoch": vaultEpochDocument,
  "vault-head": vaultHeadDocument,
  "node-succession": successionDocument,
};
