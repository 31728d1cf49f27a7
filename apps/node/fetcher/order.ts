/**
 * What the fetcher may do, read from the open window's order. The kernel holds it to the same addresses
 * and the same deadline, whatever this process believes.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { activeAdmin, addressText, sameBytes, windowOrderDocument } from "@phantoma/crypto";
import { DeviceListFolder } from "../devices/device-list-folder.ts";

/** Root writes it beside the lists: the node's own key. */
const NODE_FILE = "node.pub";

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
  /** By `name:port`: the only addresses that may be asked there. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
}

/**
 * Judged here as well: who writes this file is not who may say what is sent, and a path or a name that
 * nobody signed could carry something out to an address that many share.
 *
 * @throws when the file is not there, or is no order of an admin of this node
 */
export function readOrder(path: string, devicesDir: string): FetchOrder {
  const node = Buffer.from(readFileSync(join(devicesDir, NODE_FILE), "ascii").trim(), "hex");
  const devices = new DeviceListFolder(devicesDir, node).current;
  const order = windowOrderDocument.open(
    readFileSync(path),
    ({ signer }) => activeAdmin(devices, signer)?.signingKey,
  );
  if (!sameBytes(order.node, node)) throw new RangeError("an order for another node");
  const addresses = new Map<string, string[]>();
  for (const { name, address, port } of order.endpoints) {
    const place = placeOf(name, port);
    addresses.set(place, [...(addresses.get(place) ?? []), addressText(address)]);
  }
  const [first] = order.endpoints;
  if (!first) throw new RangeError("an order without a place to ask");
  const files = order.files.map(({ name, digest, size }) => ({
    url: new URL(name, `https://${placeOf(first.name, first.port)}`),
    digest: Buffer.from(digest).toString("hex"),
    bytes: Number(size),
  }));
  return { counter: order.counter, files, notAfter: order.notAfter, addresses };
}

/** The addresses that were signed for where `url` leads; `undefined` where nobody signed it. */
export function addressesFor(
  { addresses }: FetchOrder,
  { protocol, username, password, hostname, port }: URL,
): readonly string[] | undefined {
  if (protocol !== "https:" || username !== "" || password !== "") return undefined;
  return addresses.get(placeOf(hostname, Number(port || HTTPS_PORT)));
}

const HTTPS_PORT = 443;

function placeOf(name: string, port: number): string {
  const host = name.toLowerCase();
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}
