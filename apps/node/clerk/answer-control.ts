/**
 * One control request, asked of the keeper and put into the words of the protocol.
 *
 * @module
 */
import {
  doctorSchema,
  egressSchema,
  lastSeenSchema,
  modelSchema,
  reportingSchema,
  statusSchema,
  updateSchema,
  windowSchema,
  type ControlRefusal,
  type ControlRequest,
  type ControlResponse,
} from "@phantoma/protocol";
import { z } from "zod";
import { KeeperRefused, type KeeperClient } from "../ipc/keeper-client.ts";
import { updatePlaces } from "../ipc/keeper-link.ts";
import { askVault } from "./ask-vault.ts";
import { split } from "./split.ts";

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
    case "device-lists": {
      const after = Buffer.alloc(4);
      after.writeUInt32BE(request.after);
      const documents = split(await keeper.ask("deviceLists", after));
      return { response: "lists", documents };
    }
    case "receipts": {
      const documents = split(await keeper.ask("receipts", encodeReceiptQuery(request)));
      return { response: "receipts", documents };
    }
    case "submit-device-list":
      await keeper.ask("submitDeviceList", Buffer.from(request.document, "base64"));
      return { response: "accepted" };
    case "egress": {
      const query = numbers(request.after, request.limit);
      return {
        response: "egress",
        egress: egressSchema.parse(parse(await keeper.ask("egress", query))),
      };
    }
    case "doctor":
      return { response: "doctor", doctor: doctorSchema.parse(parse(await keeper.ask("doctor"))) };
    case "window":
      return { response: "window", window: windowSchema.parse(parse(await keeper.ask("window"))) };
    case "open-window":
      await keeper.ask("openWindow", Buffer.from(request.document, "base64"));
      return { response: "accepted" };
    case "close-window":
      await keeper.ask("closeWindow");
      return { response: "accepted" };
    case "last-seen": {
      const devices = lastSeenSchema.parse(parse(await keeper.ask("lastSeen")));
      return { response: "last-seen", devices };
    }
    case "reporting": {
      const reporting = reportingSchema.parse(parse(await keeper.ask("reporting")));
      return { response: "reporting", reporting };
    }
    case "submit-standing-order":
      await keeper.ask("submitStandingOrder", Buffer.from(request.document, "base64"));
      return { response: "accepted" };
    case "submit-licence":
      await keeper.ask("submitLicence", Buffer.from(request.document, "base64"));
      return { response: "accepted" };
    case "push-model": {
      const { digest, bytes, name } = request;
      const body = [bytesOf(digest), number(bytes), Buffer.from(name, "utf8")];
      return pushed(await keeper.ask("pushModel", Buffer.concat(body)));
    }
    case "push-chunk": {
      const { digest, offset, chunk } = request;
      const body = [bytesOf(digest), number(offset), Buffer.from(chunk, "base64")];
      return pushed(await keeper.ask("pushChunk", Buffer.concat(body)));
    }
    case "remove-model":
      await keeper.ask("removeModel", bytesOf(request.digest));
      return { response: "accepted" };
    case "update":
      return { response: "update", update: updateSchema.parse(parse(await keeper.ask("update"))) };
    case "read-update": {
      const { place, offset, path } = request;
      const at = Buffer.of(updatePlaces.indexOf(place));
      const answer = await keeper.ask(
        "readUpdate",
        Buffer.concat([at, number(offset), text(path)]),
      );
      const length = answer.readBigUInt64BE();
      const bytes = length === NOT_THERE ? null : Number(length);
      return { response: "piece", piece: answer.toString("base64", 8), bytes };
    }
    case "approve-update":
      await keeper.ask("approveUpdate", Buffer.from(request.document, "base64"));
      return { response: "accepted" };
    case "submit-update-policy":
      await keeper.ask("submitUpdatePolicy", Buffer.from(request.document, "base64"));
      return { response: "accepted" };
    case "push-update": {
      const body = [number(request.bytes), text(request.path)];
      return pushed(await keeper.ask("pushUpdate", Buffer.concat(body)));
    }
    case "push-update-chunk": {
      const { offset, path, chunk } = request;
      const named = [number(offset), Buffer.of(path.length), text(path)];
      const body = Buffer.concat([...named, Buffer.from(chunk, "base64")]);
      return pushed(await keeper.ask("pushUpdateChunk", body));
    }
    case "verify-model": {
      const [isWhole] = await keeper.ask("verifyModel", bytesOf(request.digest));
      return { response: "model", isWhole: isWhole === 1 };
    }
    default:
      return askVault(keeper, request);
  }
}

/** In the place of a length. */
const NOT_THERE = 2n ** 64n - 1n;

function text(path: string): Buffer {
  return Buffer.from(path, "ascii");
}

function pushed(offset: Buffer): ControlResponse {
  return { response: "push", offset: Number(offset.readBigUInt64BE()) };
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function numbers(after: number, limit: number): Buffer {
  const short = Buffer.alloc(2);
  short.writeUInt16BE(limit);
  return Buffer.concat([number(after), short]);
}

function bytesOf(digest: string): Buffer {
  return Buffer.from(digest, "hex");
}

function refusal({ code, reason }: KeeperRefused): ControlResponse {
  switch (code) {
    case "ERR_DOCUMENT_REFUSED":
      return refusedBecause(
        code,
        "the document was not accepted: fetch the current one, sign again",
      );
    case "ERR_FORBIDDEN":
      return refusedBecause(code, "this device may not do that");
    case "ERR_TICKET":
    case "ERR_MALFORMED":
      return refusedBecause("ERR_INVALID_MESSAGE", "the keeper did not understand the request");
    case "ERR_STORAGE":
      return refusedBecause("ERR_UNAVAILABLE", "the node could not store it; is its disk full?");
    case "ERR_UNAVAILABLE":
      return refusedBecause(code, "the keeper does not answer");
    case "ERR_ORDER_REFUSED":
      return refusedBecause(code, `the order was refused: ${reason ?? "no reason given"}`);
    case "ERR_WINDOW_OPEN":
      return refusedBecause(code, "a window is open already");
    case "ERR_NO_POLICY":
      return refusedBecause(code, "this node has no kernel policy, so no window to open");
    case "ERR_NO_WARDEN":
      return refusedBecause("ERR_UNAVAILABLE", "the warden does not answer");
    case "ERR_NO_SPACE":
      return refusedBecause(code, "the node's disk has no room for it");
    case "ERR_DIGEST":
      return refusedBecause(code, "what came is not what the digest says, and was dropped");
    case "ERR_MODEL_UNKNOWN":
      return refusedBecause(code, "the node has no such model, whole or begun");
    case "ERR_MODEL_IN_USE":
      return refusedBecause(code, "a task uses the model");
    case "ERR_UPDATE_UNKNOWN":
      return refusedBecause(code, "the node has no such release, or not any more");
    case "ERR_BUSY":
      return refusedBecause("ERR_UNAVAILABLE", "other models are being pushed");
    case "ERR_VAULT_CONFLICT":
      return refusedBecause(code, "another device changed the vault meanwhile");
    case "ERR_VAULT_FULL":
      return refusedBecause(code, "there is no room left for saved conversations");
    case "ERR_VAULT_UNKNOWN":
      return refusedBecause(code, "this device has no such vault or object here");
  }
}

function encodeReceiptQuery(query: { task?: string; before?: number; limit: number }): Buffer {
  const limit = Buffer.alloc(2);
  limit.writeUInt16BE(query.limit);
  if (query.task !== undefined) return Buffer.concat([limit, bytesOf(query.task)]);
  return query.before === undefined ? limit : Buffer.concat([limit, number(query.before)]);
}

function parse(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString("utf8"));
}
