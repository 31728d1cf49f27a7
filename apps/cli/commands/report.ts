/**
 * phantoma report: what a node tells a control plane, byte for byte; to whom, or to nobody; and its licences.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import {
  isPrivateAddress,
  signStandingOrder,
  type ControlSession,
  type Reporting,
} from "@phantoma/client";
import { heartbeatDocument, licenceDocument, type Heartbeat, type Licence } from "@phantoma/crypto";
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { oneLine, timeText, UsageError, write, writeJson } from "../output.ts";
import { withControl, type Peer } from "../session.ts";

const options = {
  ...commonOptions,
  key: { type: "string" },
  address: { type: "string", multiple: true },
  days: { type: "string", default: "365" },
} as const;

/** The node takes no longer one. */
const MAX_DAYS = 399;
const DAY_MS = 86_400_000;

interface Values {
  readonly key?: string | undefined;
  readonly address?: string[] | undefined;
  readonly days: string;
  readonly json: boolean;
}

export const report: Command = {
  usage:
    "report [status | on https://NAME[:PORT] --key HEX [--address IP] [--days N] | off [--key HEX] | licence FILE]",
  summary:
    "what the node tells a control plane, byte for byte; off until an admin says to whom, and its key is the control plane's own word; off with a key, it takes licences of that one from files",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const home = new Home(values.home);
    const peer: Peer = { profile: home.node(values.node), device: home.device() };
    const [action = "status", what] = positionals;
    switch (action) {
      case "status":
        return withControl(peer, (session) => show(session, values.json));
      case "on":
        return withControl(peer, (session) => switchOn(session, peer, what, values));
      case "off":
        return withControl(peer, (session) => switchOff(session, peer, values));
      case "licence": {
        if (what === undefined) throw new UsageError("which file has the licence?");
        const file = readFileSync(what);
        await withControl(peer, (session) => session.submitLicence(documentIn(file)));
        if (values.json) writeJson({ taken: true });
        else write("the node has this licence now\n");
        return 0;
      }
      default:
        throw new UsageError(`report cannot ${JSON.stringify(action)}`);
    }
  },
};

async function switchOn(
  session: ControlSession,
  peer: Peer,
  place: string | undefined,
  values: Values,
): Promise<number> {
  if (place === undefined || !URL.canParse(place) || !place.startsWith("https://"))
    throw new UsageError("where to? an https address");
  const controlPlane = keyIn(values.key);
  const { hostname, port } = new URL(place);
  const addresses = values.address ?? (await addressesOf(hostname));
  const endpoints = addresses.map((address) => ({
    name: hostname,
    address,
    port: Number(port || 443),
  }));
  const notAfter = await submit(session, peer, { endpoints, controlPlane, days: values.days });
  if (values.json) writeJson({ reporting: true, notAfter, endpoints });
  else {
    write(`the node reports until ${timeText(notAfter)}, and its herald may reach\n`);
    for (const { name, address, port: at } of endpoints)
      write(
        `  ${oneLine(name)}  ${address}  port ${at}${isPrivateAddress(address) ? "  (a local network)" : ""}\n`,
      );
  }
  return 0;
}

/** Nothing is sent from now on; licences of the same control plane stay good, or those of the one with this key. */
async function switchOff(session: ControlSession, peer: Peer, values: Values): Promise<number> {
  const { order } = await session.reporting();
  const controlPlane = keyIn(values.key ?? order?.controlPlane ?? "0".repeat(64));
  await submit(session, peer, { endpoints: [], controlPlane, days: values.days });
  if (values.json) writeJson({ reporting: false });
  else write("the node reports to nobody\n");
  return 0;
}

async function submit(
  session: ControlSession,
  { profile, device }: Peer,
  order: {
    readonly endpoints: Parameters<typeof signStandingOrder>[1]["endpoints"];
    readonly controlPlane: Uint8Array;
    readonly days: string;
  },
): Promise<number> {
  const days = Number(order.days);
  if (!/^\d+$/.test(order.days) || days < 1 || days > MAX_DAYS)
    throw new UsageError(`--days is 1 to ${MAX_DAYS}`);
  const { nodeTime } = await session.status();
  const { highestCounter } = await session.reporting();
  const lifetimeMs = days * DAY_MS;
  const { endpoints, controlPlane } = order;
  const node = Buffer.from(profile.nodeKey, "hex");
  const request = { node, endpoints, controlPlane, highestCounter, lifetimeMs, nodeTime };
  await session.submitStandingOrder(signStandingOrder(device, request));
  return Math.min(Date.now(), nodeTime) + lifetimeMs;
}

function keyIn(text = ""): Buffer {
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new UsageError("--key is what the control plane says at its start, 64 hex digits");
  return Buffer.from(text, "hex");
}

/** Looked up here and signed: the node asks no resolver. */
async function addressesOf(name: string): Promise<string[]> {
  const host = name.replace(/^\[|\]$/g, "");
  if (isIP(host)) return [host];
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

async function show(session: ControlSession, isJson: boolean): Promise<number> {
  const reporting = await session.reporting();
  if (isJson) {
    writeJson(reporting);
    return 0;
  }
  const { order, licences } = reporting;
  if (!order || order.endpoints.length === 0) write("the node reports to nobody\n");
  else {
    write(
      `reports    until ${timeText(order.notAfter)}, to a control plane with the key\n           ${order.controlPlane}\n`,
    );
    for (const { name, address, port } of order.endpoints)
      write(`reachable  ${oneLine(name)}  ${address}  port ${port}\n`);
  }
  for (const { document, standing } of licences) {
    const { holder, edition, notAfter } = fieldsOf(licenceDocument, document) as Licence;
    write(
      `licence    ${standing}, ${edition}, until ${timeText(notAfter)}, for ${oneLine(holder)}\n`,
    );
  }
  showSent(reporting);
  return 0;
}

/** Its fields, and its bytes as they were sent. */
function showSent({ sent }: Reporting): void {
  if (sent.length === 0) write("nothing was sent since the node started\n");
  for (const { at, document, outcome } of sent) {
    const { sequence, rootVersion, targetsVersion, health } = fieldsOf(
      heartbeatDocument,
      document,
    ) as Heartbeat;
    write(`\nsent       ${timeText(at)}  ${outcome}\n`);
    write(
      `           number ${sequence}, keys ${rootVersion}, list ${targetsVersion}, ${health}\n`,
    );
    write(`           ${Buffer.from(document, "base64").toString("hex")}\n`);
  }
}

/** To be shown only: the node's own word. */
function fieldsOf(
  kind: typeof heartbeatDocument | typeof licenceDocument,
  document: string,
): unknown {
  let fields: unknown;
  try {
    kind.open(Buffer.from(document, "base64"), (unverified: Heartbeat | Licence) => {
      fields = unverified;
      return undefined;
    });
  } catch (error) {
    if (fields === undefined) throw error;
  }
  return fields;
}

/** As the control plane answers it, in JSON or base64, or as its bytes. */
function documentIn(file: Buffer): Buffer {
  const text = file.toString("latin1").trim();
  const found = /"document"\s*:\s*"([A-Za-z0-9+/=]+)"/.exec(text)?.[1];
  if (found !== undefined) return Buffer.from(found, "base64");
  return /^[A-Za-z0-9+/=\s]+$/.test(text) ? Buffer.from(text, "base64") : file;
}
