/**
 * A window order from what was resolved: everything that a node may reach for it, and nothing else.
 *
 * @module
 */
import {
  addressBytes,
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
  /** Milliseconds since 1970, by the node's clock, which judges it. */
  readonly now: number;
}

/** @throws {@link ClientError} `ERR_MODEL_SOURCE` when it is more than one order can say */
export function signWindowOrder(device: DeviceIdentity, request: WindowRequest): Uint8Array {
  const { node, models, highestCounter, lifetimeMs, now } = request;
  const endpoints = endpointsOf(models);
  if (endpoints.length > MAX_ENDPOINTS || models.length > MAX_FILES)
    throw new ClientError("ERR_MODEL_SOURCE", "that is more than one window can hold");
  const highest = BigInt(highestCounter);
  const order = {
    node,
    counter: highest >= BigInt(now) ? highest + 1n : BigInt(now),
    notAfter: now + lifetimeMs,
    signer: device.signing.publicKey,
    endpoints: endpoints.map(({ name, address, port }) => ({
      name,
      address: addressBytes(address),
      port,
    })),
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
  return /^(?:10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|0\.|::1?$|f[cd]|fe[89ab])/.test(
    address,
  );
}
