/**
 * What an admin's device orders a node to do: open a window, take an update, take them by itself, report to a
 * control plane.
 *
 * Each carries the node, a counter that only grows and a deadline; who verifies it also persists
 * the highest counter it has seen, so an order works once.
 *
 * @module
 */
import { documentKind } from "./document.ts";
import {
  bytes,
  choice,
  counter,
  group,
  list,
  text,
  time,
  unsigned,
  type ValuesOf,
} from "./fields.ts";

/** A model host, its redirects, and the addresses of both: more is a mistake or an attack. */
export const MAX_ENDPOINTS = 64;
export const MAX_FILES = 64;
/** One control plane, with an address in each family and some to fall back to. */
export const MAX_CONTROL_PLANE_ENDPOINTS = 8;

const order = {
  node: bytes(32),
  counter,
  notAfter: time,
  /** The admin device that signed, by its Ed25519 key. */
  signer: bytes(32),
} as const;

const endpoint = group({
  name: text(253),
  /** IPv6, or IPv4 mapped into it. */
  address: bytes(16),
  port: unsigned(2),
});

const windowLayout = {
  ...order,
  /** The only places the fetcher may reach; names for TLS, addresses for the kernel. */
  endpoints: list(endpoint, MAX_ENDPOINTS),
  /** The only files that may come in, by SHA-256 and exact size in bytes. */
  files: list(group({ name: text(255), digest: bytes(32), size: counter }), MAX_FILES),
} as const;

export type WindowOrder = ValuesOf<typeof windowLayout>;
export const windowOrderDocument = documentKind(4, 1, "window order", windowLayout);

const approvalLayout = {
  ...order,
  /** SHA-256 of the bundle that may be installed. */
  release: bytes(32),
  version: text(32),
} as const;

export type UpdateApproval = ValuesOf<typeof approvalLayout>;
export const updateApprovalDocument = documentKind(5, 1, "update approval", approvalLayout);

const standingLayout = {
  ...order,
  /** The only places the herald may reach, until `notAfter`; none means: report to nobody. */
  endpoints: list(endpoint, MAX_CONTROL_PLANE_ENDPOINTS),
  /** Who signs answers and licences there, by its Ed25519 key. */
  controlPlane: bytes(32),
} as const;

export type StandingOrder = ValuesOf<typeof standingLayout>;
export const standingOrderDocument = documentKind(9, 1, "standing order", standingLayout);

const policyLayout = {
  ...order,
  /** Whether a newer release with its quorum is installed without asking, until `notAfter`; the other one takes that back. */
  mode: choice({ ask: 1, automatic: 2 }),
} as const;

export type UpdatePolicy = ValuesOf<typeof policyLayout>;
export const updatePolicyDocument = documentKind(11, 1, "update policy", policyLayout);
