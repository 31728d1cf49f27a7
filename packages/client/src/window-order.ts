/**
 * A window order from what was resolved: everything that a node may reach for it, and nothing else.
 *
 * @module
 */
import { BlockList, isIPv4 } from "node:net";
import {
  addressBytes,
  addressText,
  CryptoError,
  MAX_ENDPOINTS,
  MAX_FILES,
  windowOrderDocument,
  type DeviceIdentity,
} from "@phantoma/crypto";
import { ClientError } from "./client-error.ts";
import type { Endpoint, ResolvedModel } from "./resolve-model.ts";

export interface WindowRequest {
  /** The node's Ed25519 key. */
  readonly node: Uint8Array;
  readonly models: readonly ResolvedModel[];
  /** What the node says it has seen; the order's counter is above it. */
  readonly highestCounter: string;
  /** How long it may stay open, in milliseconds; at most 30 minutes. */
  readonly lifetimeMs: number;
  /** What the node says its clock shows, in milliseconds since 1970. */
  readonly nodeTime: number;
}

/** The node judges the order by its own clock, so the two must nearly agree; in milliseconds. */
export const MAX_CLOCK_GAP_MS = 2 * 60_000;
/** A counter is the time of its order: none is of a time so far ahead. */
export const MAX_COUNTER_AHEAD_MS = 365 * 24 * 60 * 60_000;

/**
 * By this machine's clock: a node that could choose the deadline or the counter would get orders that are
 * good for years.
 *
 * @throws {@link ClientError} `ERR_CLOCKS`, or `ERR_MODEL_SOURCE` when it is more than one order can say
 */
export function signWindowOrder(device: DeviceIdentity, request: WindowRequest): Uint8Array {
  const { node, models, highestCounter, lifetimeMs, nodeTime } = request;
  const now = Date.now();
  const counter = nextCounter({ highestCounter, nodeTime, now });
  const endpoints = endpointsOf(models);
  if (endpoints.length > MAX_ENDPOINTS || models.length > MAX_FILES)
    throw new ClientError("ERR_MODEL_SOURCE", "that is more than one window can hold");
  const order = {
    node,
    counter,
    // Of the two clocks the one behind: the node refuses an order that is too long by its own.
    notAfter: Math.min(now, nodeTime) + lifetimeMs,
    signer: device.signing.publicKey,
    endpoints: endpoints.map(asSigned),
    files: models.map(({ path, digest, bytes }) => ({
      name: path,
      digest: Buffer.from(digest, "hex"),
      size: BigInt(bytes),
    })),
  };
  try {
    return windowOrderDocument.sign(order, device.signing.privateKey);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new ClientError("ERR_MODEL_SOURCE", `an order cannot say this: ${error.message}`);
  }
}

/** @throws {@link ClientError} `ERR_CLOCKS` */
export function nextCounter({
  highestCounter,
  nodeTime,
  now,
}: Pick<WindowRequest, "highestCounter" | "nodeTime"> & { readonly now: number }): bigint {
  const highest = BigInt(highestCounter);
  if (Math.abs(nodeTime - now) > MAX_CLOCK_GAP_MS)
    throw new ClientError("ERR_CLOCKS", "the clocks of this machine and the node differ");
  if (highest > BigInt(now + MAX_COUNTER_AHEAD_MS))
    throw new ClientError("ERR_CLOCKS", "the node says it has seen an order of a far future");
  return highest >= BigInt(now) ? highest + 1n : BigInt(now);
}

/** An endpoint as orders have it. @throws `CryptoError` for what is no address */
export function asSigned({ name, address, port }: Endpoint) {
  return { name, address: addressBytes(address), port };
}

/** The models' own host first: their paths are asked there. */
function endpointsOf(models: readonly ResolvedModel[]): Endpoint[] {
  const first = models[0]?.endpoints[0];
  const all = models.flatMap(({ endpoints }) => endpoints);
  for (const { endpoints } of models)
    if (!first || endpoints[0]?.name !== first.name || endpoints[0].port !== first.port)
      throw new ClientError("ERR_MODEL_SOURCE", "the files of one window come from one host");
  const byText = new Map(all.map((one) => [`${one.name} ${one.address} ${one.port}`, one]));
  return [...byText.values()];
}

/** Of this machine or a local network: a model host of one's own, or a name that leads astray. */
export function isPrivateAddress(address: string): boolean {
  const bytes = addressBytes(address);
  const isTranslated = NAT64.equals(bytes.subarray(0, NAT64.length));
  const text = addressText(
    isTranslated ? addressBytes(bytes.subarray(NAT64.length).join(".")) : bytes,
  );
  return ownNetworks.check(text, isIPv4(text) ? "ipv4" : "ipv6");
}

/** 64:ff9b::/96: an IPv4 address follows, to which a router of the network translates. */
const NAT64 = Buffer.from("0064ff9b0000000000000000", "hex");

const ownNetworks = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  // Many at once, and what is reserved.
  ["224.0.0.0", 3],
] as const)
  ownNetworks.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [
  ["::", 127],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const)
  ownNetworks.addSubnet(network, prefix, "ipv6");
