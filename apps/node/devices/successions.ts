/**
 * The keys that this node had before, each with the document in which it names the next: for devices that still know it
 * by one of them.
 *
 * Root places them. They lie in a folder that the keeper may write to, so each is verified when it is read.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { MAX_FORMER_KEYS, openSuccession, SUCCESSION_BYTES } from "@phantoma/crypto";
import { readPublicFile } from "../setup/public-file.ts";

const NAME = /^([0-9a-f]{64})\.succession$/;

/** By the key of before in hex: the document as signed. */
export type Successions = ReadonlyMap<string, Buffer>;

export function successionPath(devicesDir: string, from: Uint8Array): string {
  return join(devicesDir, `${hex(from)}.succession`);
}

/** Those that lead to this node's key, and nothing else. */
export function readSuccessions(devicesDir: string, node: Uint8Array): Successions {
  const byNext = new Map<string, { from: Uint8Array; document: Buffer }>();
  for (const name of readdirSync(devicesDir)) {
    const from = NAME.exec(name)?.[1];
    const read = from && opened(join(devicesDir, name), Buffer.from(from, "hex"));
    if (read) byNext.set(read.to, read);
  }
  const found = new Map<string, Buffer>();
  for (let key = hex(node); found.size < MAX_FORMER_KEYS;) {
    const before = byNext.get(key);
    if (!before || found.has(hex(before.from))) break;
    key = hex(before.from);
    found.set(key, before.document);
  }
  return found;
}

/** The key that the node was set up with: what is kept for its devices goes on under this name. */
export function originOf(successions: Successions, node: Uint8Array): Uint8Array {
  const oldest = [...successions.keys()].at(-1);
  return oldest === undefined ? node : Buffer.from(oldest, "hex");
}

function opened(path: string, from: Uint8Array) {
  try {
    const document = readPublicFile(path, SUCCESSION_BYTES);
    return { from, to: hex(openSuccession(document, from).to), document };
  } catch {
    return undefined;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
