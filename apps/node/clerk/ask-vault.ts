/**
 * One request about a device's vault, asked of the keeper and put into the words of the protocol.
 *
 * @module
 */
import type { ControlRequest, ControlResponse } from "@phantoma/protocol";
import type { KeeperClient } from "../ipc/keeper-client.ts";
import { split } from "./split.ts";

type VaultRequest = Extract<ControlRequest, { request: "vault" | `vault-${string}` }>;

const DOCUMENT_KINDS = { heads: 1, epochs: 2, cards: 3 } as const;

export async function askVault(
  keeper: KeeperClient,
  request: VaultRequest,
): Promise<ControlResponse> {
  switch (request.request) {
    case "vault":
      return state(await keeper.ask("vault"));
    case "vault-documents": {
      const body = Buffer.concat([Buffer.of(DOCUMENT_KINDS[request.of]), number(request.after)]);
      const documents = split(await keeper.ask("vaultDocuments", body));
      return { response: "vault-documents", documents };
    }
    case "vault-card": {
      const inviter = Buffer.from(request.inviter, "hex");
      const card = Buffer.from(request.document, "base64");
      await keeper.ask("vaultCard", Buffer.concat([inviter, card]));
      return { response: "accepted" };
    }
    case "vault-rows": {
      const { version, after, from } = request;
      const body = Buffer.concat([number(version), number(after), Buffer.from(from, "hex")]);
      const rows = await keeper.ask("vaultRows", body);
      return { response: "vault-rows", rows: rows.toString("base64") };
    }
    case "vault-get": {
      const body = Buffer.from(request.objects.join(""), "hex");
      return { response: "vault-blobs", blobs: split(await keeper.ask("vaultGet", body)) };
    }
    case "vault-put":
      await keeper.ask("vaultPut", Buffer.from(request.blob, "base64"));
      return { response: "accepted" };
    case "vault-commit": {
      const { head, epoch, wraps, changes } = request;
      const parts = [head, epoch ?? "", wraps].map((part) => framed(Buffer.from(part, "base64")));
      const body = Buffer.concat([...parts, Buffer.from(changes, "base64")]);
      await keeper.ask("vaultCommit", body);
      return { response: "accepted" };
    }
    case "vault-leave":
      await keeper.ask("vaultLeave");
      return { response: "accepted" };
  }
}

function state(answer: Buffer): ControlResponse {
  const usedBytes = Number(answer.readBigUInt64BE());
  const maxBytes = Number(answer.readBigUInt64BE(8));
  const rest = answer.subarray(16);
  if (rest.length === 0) return { response: "vault", head: null, wraps: "", usedBytes, maxBytes };
  const end = 4 + rest.readUInt32BE();
  const head = rest.toString("base64", 4, end);
  return { response: "vault", head, wraps: rest.toString("base64", end), usedBytes, maxBytes };
}

function framed(bytes: Buffer): Buffer {
  return Buffer.concat([number(bytes.length), bytes]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
