/**
 * What the fetcher may do, read from the open window's order. The kernel holds it to the same addresses
 * and the same deadline, whatever this process believes.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { sameBytes, windowOrderDocument } from "@phantoma/crypto";
import {
  adminKeys,
  placesOf,
  placeText,
  readNodeKey,
  type Places,
} from "../orders/signed-places.ts";

export interface WantedFile {
  readonly url: URL;
  /** SHA-256 in hex; the keeper compares it. */
  readonly digest: string;
  readonly bytes: number;
}

export interface FetchOrder {
  /** Which order this is. */
  readonly counter: bigint;
  readonly files: readonly WantedFile[];
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  readonly places: Places;
}

/**
 * Judged here as well: who writes this file is not who may say what is sent, and a path or a name that
 * nobody signed could carry something out to an address that many share.
 *
 * @throws when the file is not there, or is no order of an admin of this node
 */
export function readOrder(path: string, devicesDir: string): FetchOrder {
  const node = readNodeKey(devicesDir);
  const order = windowOrderDocument.open(readFileSync(path), adminKeys(devicesDir, node));
  if (!sameBytes(order.node, node)) throw new RangeError("an order for another node");
  const [first] = order.endpoints;
  if (!first) throw new RangeError("an order without a place to ask");
  const files = order.files.map(({ name, digest, size }) => ({
    url: new URL(name, `https://${placeText(first.name, first.port)}`),
    digest: Buffer.from(digest).toString("hex"),
    bytes: Number(size),
  }));
  const places = placesOf(order.endpoints);
  return { counter: order.counter, files, notAfter: order.notAfter, places };
}
