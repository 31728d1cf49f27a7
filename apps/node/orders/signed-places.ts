/**
 * The places that an admin signed for, as processes with a network use them: by name and port, with the addresses that
 * may be asked there. No name is ever resolved on the node.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { isIPv6, type LookupFunction } from "node:net";
import { join } from "node:path";
import {
  activeAdmin,
  addressText,
  type VerifiedDeviceList,
  type WindowOrder,
} from "@phantoma/crypto";
import { DeviceListFolder } from "../devices/device-list-folder.ts";

/** Root writes it beside the lists: the node's own key. */
const NODE_FILE = "node.pub";
const HTTPS_PORT = 443;

/** By `name:port`: the only addresses that may be asked there. */
export type Places = ReadonlyMap<string, readonly string[]>;

export function readNodeKey(devicesDir: string): Buffer {
  return Buffer.from(readFileSync(join(devicesDir, NODE_FILE), "ascii").trim(), "hex");
}

/** Whose signature under an order counts now. */
export function adminKeys(
  devicesDir: string,
  node: Uint8Array,
): (unverified: { readonly signer: Uint8Array }) => Uint8Array | undefined {
  const devices: VerifiedDeviceList = new DeviceListFolder(devicesDir, node).current;
  return ({ signer }) => activeAdmin(devices, signer)?.signingKey;
}

export function placesOf(endpoints: WindowOrder["endpoints"]): Places {
  const places = new Map<string, readonly string[]>();
  for (const { name, address, port } of endpoints) {
    const place = placeText(name, port);
    places.set(place, [...(places.get(place) ?? []), addressText(address)]);
  }
  return places;
}

/** The addresses that were signed for where `url` leads; `undefined` where nobody signed it. */
export function addressesFor(
  places: Places,
  { protocol, username, password, hostname, port }: URL,
): readonly string[] | undefined {
  if (protocol !== "https:" || username !== "" || password !== "") return undefined;
  return places.get(placeText(hostname, Number(port || HTTPS_PORT)));
}

export function placeText(name: string, port: number): string {
  const host = name.toLowerCase();
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The order's addresses instead of a resolver's. */
export function listed(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (_name, { all }, done) => {
    if (all) done(null, found);
    else done(null, found[0]!.address, found[0]!.family);
  };
}
