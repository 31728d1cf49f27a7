/**
 * The node's memory and its name: identity, device list, models, receipts, live cells.
 *
 * @module
 */
import { createServer, type Server } from "node:net";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { NodeIdentity } from "@phantoma/crypto";
import type { Model, Status } from "@phantoma/protocol";
import { DeviceListFolder, SEEN_DEVICES_FILE } from "../devices/device-list-folder.ts";
import type { CellRole } from "../ipc/keeper-link.ts";
import type { Log } from "../log/log.ts";
import { readCatalogue } from "../models/model-store.ts";
import { UsedTickets } from "../tickets/used-tickets.ts";
import { CellChannel } from "./cell-channel.ts";
import { TICKET_MEMORY_MS, type Certifier, type Installation } from "./certify.ts";
import { Receipts } from "./receipts.ts";

/** Far more cells than a machine has room for; one more is not answered. */
const MAX_CELLS = 4096;

export interface KeeperOptions {
  readonly identity: NodeIdentity;
  /** The keeper's own folder. */
  readonly keeperDir: string;
  readonly devicesDir: string;
  readonly modelsDir: string;
  readonly installation: Installation;
  readonly version: string;
  readonly log: Log;
}

export class Keeper {
  readonly devices: DeviceListFolder;
  readonly receipts: Receipts;
  readonly installation: Installation;
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
    this.receipts = new Receipts(options.identity, this.#startedAt);
    this.devices.watch(() => this.devicesChanged());
  }

  /** Answers the cells of one role on a socket of their own; its permissions say who they are. */
  async listen(role: CellRole, socketPath: string): Promise<Server> {
    const server = createServer((socket) => {
      if (this.#cells.size >= MAX_CELLS) return void socket.destroy();
      const channel = new CellChannel(this, role, socket);
      this.#cells.add(channel);
      void channel.closed.then(() => this.#cells.delete(channel));
    });
    mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
    // That of a keeper which was killed is in the way.
    rmSync(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(socketPath, resolve);
    });
    // Under systemd the folder hands on the group of the cells, which may connect and nobody else.
    chmodSync(socketPath, 0o660);
    return server;
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

  models(): Model[] {
    return readCatalogue(this.#options.modelsDir);
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
      tasksDone: this.receipts.issued,
      deviceListVersion: this.devices.current.version,
    };
  }

  /** A new list is in force: sessions of revoked devices end now. */
  devicesChanged(): void {
    this.#options.log("device-list", { version: this.devices.current.version });
    for (const cell of this.#cells) cell.closeIfRevoked();
  }

  close(): void {
    for (const cell of this.#cells) cell.close();
  }
}
