/**
 * A device's vault at a node: the requests as functions, and pages put together. Nothing that comes back is trusted here.
 *
 * @module
 */
import {
  decodeVaultRows,
  MAX_VAULT_OBJECTS,
  VAULT_ROW_BYTES,
  type VaultRow,
} from "@phantoma/crypto";
import {
  LISTED_ROW_BYTES,
  MAX_VAULT_GET,
  MAX_VAULT_ROWS,
  type ControlRequest,
  type ControlResponse,
} from "@phantoma/protocol";
import { ClientError } from "./client-error.ts";

type Ask = <K extends ControlResponse["response"]>(
  request: ControlRequest,
  expected: K,
) => Promise<Extract<ControlResponse, { response: K }>>;

export interface VaultAtNode {
  /** As signed; `undefined` where the device has no vault there. */
  readonly head: Uint8Array | undefined;
  readonly wraps: Uint8Array;
  readonly usedBytes: number;
  readonly maxBytes: number;
}

export interface VaultCommit {
  readonly head: Uint8Array;
  readonly epoch: Uint8Array | undefined;
  readonly wraps: Uint8Array;
  readonly changes: Uint8Array;
}

export class VaultLink {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async state(): Promise<VaultAtNode> {
    const { head, wraps, usedBytes, maxBytes } = await this.#ask({ request: "vault" }, "vault");
    const opened = head === null ? undefined : bytes(head);
    return { head: opened, wraps: bytes(wraps), usedBytes, maxBytes };
  }

  cards(): Promise<Uint8Array[]> {
    return this.#documents("cards", 0);
  }

  /** All of them, the first first. */
  epochs(): Promise<Uint8Array[]> {
    return this.#pages("epochs", 0);
  }

  /** Those after a version, the oldest first. */
  heads(after: number): Promise<Uint8Array[]> {
    return this.#pages("heads", after);
  }

  /** @param inviter who may admit this device; absent: nobody */
  async publishCard(card: Uint8Array, inviter?: Uint8Array): Promise<void> {
    const named = Buffer.from(inviter ?? new Uint8Array(32)).toString("hex");
    const request = { request: "vault-card", document: text(card), inviter: named } as const;
    await this.#ask(request, "accepted");
  }

  /** What changed after a version. @param version the newest, as it was seen */
  async rows(version: number, after: number): Promise<VaultRow[]> {
    const found: VaultRow[] = [];
    for (let from = "00".repeat(8); ;) {
      const request = { request: "vault-rows", version, after, from } as const;
      const page = bytes((await this.#ask(request, "vault-rows")).rows);
      for (let at = 0; at + LISTED_ROW_BYTES <= page.length; at += LISTED_ROW_BYTES)
        found.push(...decodeVaultRows(page.subarray(at, at + VAULT_ROW_BYTES)));
      if (found.length > MAX_VAULT_OBJECTS) throw malformed();
      const last = found.at(-1);
      if (page.length < MAX_VAULT_ROWS * LISTED_ROW_BYTES || !last) return found;
      if (last.object < from) throw malformed();
      from = nextName(last.object);
    }
  }

  /** Sealed bytes of the first of these objects, as many as fit into an answer. */
  async get(objects: readonly string[]): Promise<Uint8Array[]> {
    const wanted = objects.slice(0, MAX_VAULT_GET);
    const { blobs } = await this.#ask({ request: "vault-get", objects: wanted }, "vault-blobs");
    if (blobs.length === 0 || blobs.length > wanted.length) throw malformed();
    return blobs.map(bytes);
  }

  async put(blob: Uint8Array): Promise<void> {
    await this.#ask({ request: "vault-put", blob: text(blob) }, "accepted");
  }

  async commit({ head, epoch, wraps, changes }: VaultCommit): Promise<void> {
    const signed = { head: text(head), epoch: epoch ? text(epoch) : null };
    const rest = { wraps: text(wraps), changes: text(changes) };
    await this.#ask({ request: "vault-commit", ...signed, ...rest }, "accepted");
  }

  async leave(): Promise<void> {
    await this.#ask({ request: "vault-leave" }, "accepted");
  }

  async #documents(of: "heads" | "epochs" | "cards", after: number): Promise<Uint8Array[]> {
    const request = { request: "vault-documents", of, after } as const;
    return (await this.#ask(request, "vault-documents")).documents.map(bytes);
  }

  /** Their numbers go up one by one, so a page's length says where the next one begins. */
  async #pages(of: "heads" | "epochs", after: number): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    let taken = 0;
    for (;;) {
      const page = await this.#documents(of, after + found.length);
      if (page.length === 0) return found;
      found.push(...page);
      taken += page.reduce((sum, { length }) => sum + length, 0);
      if (found.length > MAX_HISTORY || taken > MAX_HISTORY_BYTES) throw malformed();
    }
  }
}

/** More than a node keeps: one that never ends is stopped. */
const MAX_HISTORY = 10_000;
/** 4,096 epochs of 1,500 bytes, and some. */
const MAX_HISTORY_BYTES = 8 * 1024 * 1024;

function nextName(object: string): string {
  const next = (BigInt(`0x${object}`) + 1n).toString(16).padStart(16, "0");
  return next.length > 16 ? object : next;
}

function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

function text(value: Uint8Array): string {
  return Buffer.from(value).toString("base64");
}

function malformed(): ClientError {
  return new ClientError("ERR_INVALID_MESSAGE", "the node answered something else");
}
