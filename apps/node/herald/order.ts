/**
 * Where the herald may go, read from the standing order and judged here as well: who writes that file is not who may say
 * where this node reports.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { sameBytes, standingOrderDocument } from "@phantoma/crypto";
import {
  adminKeys,
  placesOf,
  placeText,
  readNodeKey,
  type Places,
} from "../orders/signed-places.ts";

export interface HeraldOrder {
  /** The first place's: the others are further addresses of it, or of the same control plane. */
  readonly origins: readonly string[];
  readonly places: Places;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

/** @throws when the file is not there, or is no order of an admin of this node */
export function readStandingOrder(path: string, devicesDir: string): HeraldOrder {
  const node = readNodeKey(devicesDir);
  const order = standingOrderDocument.open(readFileSync(path), adminKeys(devicesDir, node));
  if (!sameBytes(order.node, node)) throw new RangeError("an order for another node");
  const origins = order.endpoints.map(({ name, port }) => `https://${placeText(name, port)}`);
  return {
    origins: [...new Set(origins)],
    places: placesOf(order.endpoints),
    notAfter: order.notAfter,
  };
}
