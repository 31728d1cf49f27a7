/**
 * A standing order: where a node may report until when, and who signs licences there.
 *
 * @module
 */
import {
  CryptoError,
  MAX_CONTROL_PLANE_ENDPOINTS,
  standingOrderDocument,
  type DeviceIdentity,
} from "@phantoma/crypto";
import { ClientError } from "./client-error.ts";
import type { Endpoint } from "./resolve-model.ts";
import { asSigned, nextCounter } from "./window-order.ts";

export interface StandingRequest {
  /** The node's Ed25519 key. */
  readonly node: Uint8Array;
  /** Nowhere: the node reports to nobody, and takes licences from files. */
  readonly endpoints: readonly Endpoint[];
  /** The control plane's Ed25519 key, which its operator gives you. */
  readonly controlPlane: Uint8Array;
  /** What the node says it has seen; the order's counter is above it. */
  readonly highestCounter: string;
  /** How long it stands, in milliseconds; at most 400 days. */
  readonly lifetimeMs: number;
  /** What the node says its clock shows, in milliseconds since 1970. */
  readonly nodeTime: number;
}

/**
 * By this machine's clock, as every order.
 *
 * @throws {@link ClientError} `ERR_CLOCKS`, or `ERR_MODEL_SOURCE` when it is more than one order can say
 */
export function signStandingOrder(device: DeviceIdentity, request: StandingRequest): Uint8Array {
  const { node, controlPlane, endpoints, lifetimeMs, nodeTime, highestCounter } = request;
  const now = Date.now();
  const counter = nextCounter({ highestCounter, nodeTime, now });
  if (endpoints.length > MAX_CONTROL_PLANE_ENDPOINTS)
    throw new ClientError("ERR_MODEL_SOURCE", "that is more than one standing order can hold");
  try {
    const order = {
      node,
      counter,
      notAfter: Math.min(now, nodeTime) + lifetimeMs,
      signer: device.signing.publicKey,
      endpoints: endpoints.map(asSigned),
      controlPlane,
    };
    return standingOrderDocument.sign(order, device.signing.privateKey);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new ClientError("ERR_MODEL_SOURCE", `an order cannot say this: ${error.message}`);
  }
}
