/**
 * The node's memory and its name: identity, device list, models, receipts, live cells.
 *
 * @module
 */
import { createServer, type Server, type Socket } from "node:net";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Heartbeat, NodeIdentity } from "@phantoma/crypto";
import type { Doctor, Egress, HostFindings, Model, Status, WindowState } from "@phantoma/protocol";
import { DeviceListFolder, SEEN_DEVICES_FILE } from "../devices/device-list-folder.ts";
import { originOf, readSuccessions } from "../devices/successions.ts";
import type { CellRole, KeeperRefusal } from "../ipc/keeper-link.ts";
import type { Log } from "../log/log.ts";
import { readCatalogue, removeModel } from "../models/model-store.ts";
import { UsedTickets } from "../tickets/used-tickets.ts";
import { CellChannel } from "./cell-channel.ts";
import { CellReports } from "./cell-reports.ts";
import { diagnose, machine, type Surroundings } from "./diagnose.ts";
import { KernelPolicy } from "./kernel-policy.ts";
import { LastSeen } from "./last-seen.ts";
import { ModelChecks } from "./model-checks.ts";
import { PushedModels } from "./pushed-models.ts";
import { TICKET_MEMORY_MS, type Certifier, type Installation } from "./certify.ts";
import { Receipts } from "./receipts.ts";
import { Reporting } from "./reporting.ts";
import { Updates } from "./updates.ts";
import { Vaults } from "./vault/vaults.ts";

/** Far more cells than a machine has room for; one more is not answered. */
const MAX_CELLS = 4096;

export interface KeeperOptions {
  readonly identity: NodeIdentity;
  /** The keeper's own folder. */
  readonly keeperDir: string;
  readonly devicesDir: string;
  readonly modelsDir: string;
  readonly incomingDir: string;
  readonly ordersDir: string;
  readonly quarantineDir: string;
  /** The herald's. */
  readonly heraldDir: string;
  /** What the installer is given. */
  readonly updatesDir: string;
  /** Root's: how the last update ended. */
  readonly outcomeDir: string;
  /** Absent: this node has no kernel policy. */
  readonly wardenSocket?: string;
  readonly installation: Installation;
  readonly surroundings: Surroundings;
  readonly version: string;
  readonly log: Log;
}

export class Keeper {
  readonly devices: DeviceListFolder;
  readonly receipts: Receipts;
  readonly reports: CellReports;
  readonly pushed: PushedModels;
  readonly checks: ModelChecks;
  readonly reporting: Reporting;
  readonly vaults: Vaults;
  readonly lastSeen = new LastSeen();
  readonly updates: Updates;
  /** `undefined` without a warden. */
  readonly policy: KernelPolicy | undefined;
  readonly installation: Installation;
  /** Their receipts follow, when their cells have overwritten what they left. */
  tasksDone = 0;
  readonly #options: KeeperOptions;
  readonly #startedAt = Date.now();
  readonly #used = new UsedTickets(TICKET_MEMORY_MS);
  readonly #cells = new Set<CellChannel>();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.installation = options.installation;
    this.devices = new DeviceListFolder(
      options.devicesDir,
      options.identity.signing.publicKey,
      join(options.keeperDir, SEEN_DEVICES_FILE),
    );
    this.reports = new CellReports(options.log, MAX_CELLS);
    this.receipts = new Receipts(
      options.identity,
      this.#startedAt,
      async (begun) => (await this.policy?.witness(begun)) ?? null,
    );
    this.pushed = new PushedModels(options.incomingDir, options.modelsDir);
    this.checks = new ModelChecks(options.modelsDir);
    // Vaults outlast a key: what their devices signed goes on naming the one that they began with.
    const node = options.identity.signing.publicKey;
    this.vaults = new Vaults(
      join(options.keeperDir, "vaults"),
      originOf(readSuccessions(options.devicesDir, node), node),
      () => this.devices.current,
    );
    this.policy =
      options.wardenSocket === undefined
        ? undefined
        : new KernelPolicy({
            ...options,
            wardenSocket: options.wardenSocket,
            node: options.identity.signing.publicKey,
            devices: () => this.devices.current,
            listsAfter: (version) => [...this.devices.listsAfter(version)],
            standingOrder: () => this.reporting.orderBytes,
          });
    this.reporting = new Reporting({
      ...options,
      release: options.installation.release,
      devices: () => this.devices.current,
      health: async () => this.#health(),
    });
    this.updates = new Updates({
      ...options,
      node: options.identity.signing.publicKey,
      release: options.installation.release,
      devices: () => this.devices.current,
    });
    this.devices.watch(
      () => this.devicesChanged(),
      () => options.log("device-list-unreadable"),
    );
  }

  /** Answers the cells of one role on a socket of their own; its permissions say who they are. */
  listen(role: CellRole, socketPath: string): Promise<Server> {
    return listenOn(socketPath, (socket) => {
      if (this.#cells.size >= MAX_CELLS) return void socket.destroy();
      const channel = new CellChannel(this, role, socket);
      this.#cells.add(channel);
      void channel.closed.then(() => this.#cells.delete(channel));
    });
  }

  /** Hears the cells of workers themselves, beside the channels that their children have. */
  listenToCells(socketPath: string): Promise<Server> {
    return listenOn(socketPath, (socket) => this.reports.take(socket));
  }

  certifier(): Certifier {
    return {
      identity: this.#options.identity,
      installation: this.installation,
      devices: this.devices.current,
      models: this.models(),
      used: this.#used,
      startedAt: this.#startedAt,
    };
  }

  /** Whether certificates would say that a policy is in force which the warden found broken. */
  get hasLostPolicy(): boolean {
    return this.installation.policy !== "none" && this.policy?.fault !== null;
  }

  models(): Model[] {
    return readCatalogue(this.#options.modelsDir);
  }

  /** State and attempts; without a warden that nothing is refused, and so nothing counted. */
  async egress(after: number, limit: number): Promise<Egress> {
    return (
      (await this.policy?.egress(after, limit)) ?? {
        policy: null,
        countingSince: this.#startedAt,
        counts: [],
        days: [],
        events: [],
        latest: 0,
      }
    );
  }

  /** The wipe grade, and what of the machine needs a person. */
  async doctor(): Promise<Doctor> {
    const policy = (await this.policy?.state()) ?? null;
    return diagnose(this.#options.surroundings, policy, Date.now());
  }

  /** What of the machine decides a task's grade. */
  machine(): HostFindings {
    return machine(this.#options.surroundings, Date.now());
  }

  async windowState(): Promise<WindowState> {
    return (await this.policy?.windowState()) ?? { open: null, highestCounter: "0", transfers: [] };
  }

  /** @returns why it stays */
  async removeModel(digest: string): Promise<KeeperRefusal | undefined> {
    if (!this.models().some((model) => model.digest === digest)) return "ERR_MODEL_UNKNOWN";
    if ([...this.#cells].some((cell) => cell.model === digest)) return "ERR_MODEL_IN_USE";
    await removeModel(this.#options.modelsDir, digest);
    return undefined;
  }

  status(): Status {
    const { release, starter, policy } = this.installation;
    return {
      version: this.#options.version,
      release: Buffer.from(release).toString("hex"),
      starter,
      policy,
      nodeTime: Date.now(),
      startedAt: this.#startedAt,
      tasksLive: [...this.#cells].filter((cell) => cell.isServing && cell.role === "worker").length,
      tasksDone: this.tasksDone,
      deviceListVersion: this.devices.current.version,
    };
  }

  /** A new list is in force: sessions of revoked devices end now. */
  devicesChanged(): void {
    this.#options.log("device-list", { version: this.devices.current.version });
    for (const cell of this.#cells) cell.closeIfRevoked();
    this.policy?.devicesChanged();
    this.reporting.devicesChanged();
    void this.vaults.devicesChanged();
  }

  /** As coarse as it is because a control plane is told it. */
  async #health(): Promise<Heartbeat["health"]> {
    if (this.hasLostPolicy) return "failing";
    return (await this.doctor()).grade === "C" ? "degraded" : "good";
  }

  close(): void {
    for (const cell of this.#cells) cell.close();
    this.policy?.close();
    this.reporting.stop();
    this.updates.stop();
  }
}

/** @param onConnection takes over */
async function listenOn(path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // That of a keeper which was killed is in the way.
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  // Under systemd the folder hands on the group of the cells, which may connect and nobody else.
  chmodSync(path, 0o660);
  return server;
}
