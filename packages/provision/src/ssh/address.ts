/**
 * Where a server is and as whom to sign in, as people write it.
 *
 * @module
 */
import { isIPv6 } from "node:net";
import { ProvisionError } from "../provision-error.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Target extends Address {
  readonly user: string;
}

/** Of SSH. */
const DEFAULT_PORT = 22;
/** What a name of the network may have, in characters. */
const MAX_HOST_LENGTH = 253;
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
/** What Linux takes for a user. */
const USER = /^[A-Za-z_][A-Za-z0-9._-]{0,31}$/;

/**
 * `host`, `user@host`, `user@host:port`, `user@[2001:db8::1]:port`; root where no user is named.
 *
 * @throws {@link ProvisionError} `ERR_SSH_ADDRESS`
 */
export function parseTarget(untrusted: string): Target {
  const at = untrusted.lastIndexOf("@");
  const user = at < 0 ? "root" : untrusted.slice(0, at);
  const place = untrusted.slice(at + 1);
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(place);
  const plain = /^([^:]*)(?::(\d{1,5}))?$/.exec(place);
  const [, host = "", port = String(DEFAULT_PORT)] =
    bracketed ?? plain ?? (isIPv6(place) ? [place, place] : []);
  const isHost = bracketed ? isIPv6(host) : isIPv6(host) || HOST.test(host);
  const isPort = Number(port) >= 1 && Number(port) <= 65_535;
  if (!isHost || host.length > MAX_HOST_LENGTH || !isPort || !USER.test(user))
    throw new ProvisionError("ERR_SSH_ADDRESS");
  return { user, host, port: Number(port) };
}

/** One name for a server in files and on screens. */
export function addressName({ host, port }: Address): string {
  const bare = isIPv6(host) ? `[${host}]` : host;
  return port === DEFAULT_PORT ? bare : `${bare}:${port}`;
}

/**
 * Where devices reach a node that something stands before, as `host:port` or `[2001:db8::1]:port`.
 *
 * @throws {@link ProvisionError} `ERR_SSH_ADDRESS`
 */
export function parsePlace(untrusted: string): Address {
  if (!/:\d{1,5}$/.test(untrusted)) throw new ProvisionError("ERR_SSH_ADDRESS");
  const { host, port } = parseTarget(`root@${untrusted}`);
  return { host, port };
}

/** A node's name where nobody gave it one; a file is called by it: letters, digits and dashes. */
export function nodeNameOf(host: string): string {
  const name = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return name.slice(0, MAX_NODE_NAME_LENGTH) || "node";
}

/** Characters. */
const MAX_NODE_NAME_LENGTH = 64;
