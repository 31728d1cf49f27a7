/**
 * The part of a set-up that changes the server, and its last proof: this device reaches the node through the tunnel.
 *
 * @module
 */
import { hostname } from "node:os";
import { join } from "node:path";
import { withRetry } from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import {
  parsePlace,
  ProvisionError,
  setUp,
  type RootShell,
  type SetUpEvent,
} from "@phantoma/provision";
import type { SetupPlan } from "../../ipc/setup.ts";
import type { NodeBook } from "../node-book.ts";
import { verifiedRelease, type NamedRelease } from "./named-release.ts";

export interface InstallPlace {
  readonly homeDir: string;
  readonly device: DeviceIdentity;
  readonly book: NodeBook;
}

export interface InstallOrder {
  readonly plan: SetupPlan;
  readonly release: NamedRelease;
  readonly host: string;
  readonly connect: () => Promise<RootShell>;
  readonly isByKey: boolean;
  readonly signal: AbortSignal;
  /** The release was verified: from here on the server is changed. @param report who signed it, in words; empty where nobody did */
  readonly begun: (report: string) => void;
  readonly hear: (event: SetUpEvent) => void;
}

/** A minute; the node has just started. */
const REACH_ATTEMPTS = 12;
/** Characters that a device list keeps of a name. */
const MAX_DEVICE_NAME_LENGTH = 64;

/** @throws ProvisionError; ClientError where the node's profile cannot be kept */
export async function installNode(
  { homeDir, device, book }: InstallPlace,
  { plan, release, host, connect, isByKey, signal, begun, hear }: InstallOrder,
): Promise<{ readonly node: string }> {
  const { port, name, steps, reach } = plan;
  const { bundle, report } = await verifiedRelease(release, join(homeDir, "releases"));
  const place = reach === "" ? { host, port } : parsePlace(reach);
  stopIfCancelled(signal);
  begun(report ?? "");
  const known = book.remembered(name);
  const { profile, devices } = await setUp({
    // Whoever cancelled starts nothing more on the server, however late the connection comes.
    connect: async () => {
      stopIfCancelled(signal);
      const shell = await connect();
      if (!signal.aborted) return shell;
      shell.close();
      throw new ProvisionError("ERR_CANCELLED");
    },
    host: place.host,
    port,
    reachPort: place.port,
    bundle,
    mayReboot: steps.includes("memory"),
    mayOpenPort: steps.includes("firewall"),
    mayUpdateKernel: steps.includes("kernel") && steps.includes("memory"),
    // By a password it would lock its own user out.
    ...(steps.includes("ssh") && isByKey ? { hardenSsh: { connectByKey: connect } } : {}),
    name,
    device,
    deviceName: hostname().slice(0, MAX_DEVICE_NAME_LENGTH) || "first device",
    ...(known === undefined ? {} : { knownNodeKey: known }),
    hear,
    signal,
  });
  return { node: book.addProvisioned(profile, devices).id };
}

/** @throws ProvisionError `ERR_INBOUND_BLOCKED`; ClientError for anything else */
export async function proveNode(book: NodeBook, node: string, signal: AbortSignal): Promise<void> {
  try {
    await withRetry(() => book.ask(node, (control) => control.status()), {
      attempts: REACH_ATTEMPTS,
      signal,
    });
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_UNREACHABLE") throw error;
    throw new ProvisionError("ERR_INBOUND_BLOCKED", { about: book.view(node).url, cause: error });
  }
}

function stopIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new ProvisionError("ERR_CANCELLED");
}
