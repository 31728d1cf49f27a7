/**
 * One control request, asked of the keeper and put into the words of the protocol.
 *
 * @module
 */
import {
  modelSchema,
  statusSchema,
  type ControlRefusal,
  type ControlRequest,
  type ControlResponse,
} from "@phantoma/protocol";
import { z } from "zod";
import { KeeperRefused, type KeeperClient } from "../ipc/keeper-client.ts";

export async function answerControl(
  keeper: KeeperClient,
  request: ControlRequest,
): Promise<ControlResponse> {
  try {
    return await ask(keeper, request);
  } catch (error) {
    if (!(error instanceof KeeperRefused)) throw error;
    return refusal(error);
  }
}

export function refusedBecause(code: ControlRefusal, message: string): ControlResponse {
  return { response: "refused", code, message };
}

async function ask(keeper: KeeperClient, request: ControlRequest): Promise<ControlResponse> {
  switch (request.request) {
    case "status": {
      const status = statusSchema.parse(parse(await keeper.ask("status")));
      return { response: "status", status };
    }
    case "models": {
      const models = z.array(modelSchema).parse(parse(await keeper.ask("models")));
      return { response: "models", models };
    }
    case "devices":
      return { response: "devices", document: (await keeper.ask("devices")).toString("base64") };
    case "receipts": {
      const documents = split(await keeper.ask("receipts", encodeReceiptQuery(request)));
      return { response: "receipts", documents };
    }
    case "submit-device-list":
      await keeper.ask("submitDeviceList", Buffer.from(request.document, "base64"));
      return { response: "accepted" };
  }
}

function refusal({ code }: KeeperRefused): ControlResponse {
  switch (code) {
    case "ERR_DOCUMENT_REFUSED":
      return refusedBecause(code, "the list was not accepted: fetch the current one, sign again");
    case "ERR_FORBIDDEN":
      return refusedBecause(code, "this device may not do that");
    case "ERR_TICKET":
    case "ERR_MALFORMED":
      return refusedBecause("ERR_INVALID_MESSAGE", "the keeper did not understand the request");
    case "ERR_STORAGE":
      return refusedBecause("ERR_UNAVAILABLE", "the node could not store it; is its disk full?");
    case "ERR_UNAVAILABLE":
      return refusedBecause(code, "the keeper does not answer");
  }
}

function encodeReceiptQuery(query: { task?: string; limit: number }): Buffer {
  const limit = Buffer.alloc(2);
  limit.writeUInt16BE(query.limit);
  return query.task ? Buffer.concat([limit, Buffer.from(query.task, "hex")]) : limit;
}

/** Documents, each after its length in 4 bytes. */
function split(joined: Buffer): string[] {
  const documents: string[] = [];
  for (let offset = 0; offset < joined.length;) {
    const end = offset + 4 + joined.readUInt32BE(offset);
    documents.push(joined.subarray(offset + 4, end).toString("base64"));
    offset = end;
  }
  return documents;
}

function parse(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString("utf8"));
}
