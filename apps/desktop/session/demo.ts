/**
 * The demo node that the console runs on this machine: one at a time, nothing left afterwards.
 *
 *   idle ──start──> preparing ──> starting ──> connecting ──> ready ──stop──> stopping ──> idle
 *                       └─────────────┴────────────┴── failed ──start──> …
 *
 * @module
 */
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalNodeOptions } from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import type { Demo } from "../ipc/contract.ts";
import type { NodeView } from "../ipc/node.ts";
import { consoleErrorOf, DesktopError } from "./desktop-error.ts";
import type { LiveNode, NodeClient } from "./node-client.ts";
import type { NodeBook } from "./node-book.ts";

/** What a shell knows of this machine. */
export interface DemoPlace {
  /** The folder of apps/node. */
  readonly nodeDir: string;
  readonly models: LocalNodeOptions["models"];
  /** Node 24, where the console itself runs in Electron. */
  readonly runtimePath?: string;
  readonly gatewayFlags?: readonly string[];
}

export interface DemoNodeOptions {
  readonly client: NodeClient;
  readonly device: DeviceIdentity;
  readonly place: DemoPlace;
  readonly book: NodeBook;
  readonly onChanged: (demo: Demo) => void;
}

export class DemoNode {
  readonly #options: DemoNodeOptions;
  #demo: Demo = { step: "idle", nodeId: null, error: null };
  #node: LiveNode | undefined;
  #starting: Promise<NodeView> | undefined;

  constructor(options: DemoNodeOptions) {
    this.#options = options;
  }

  get state(): Demo {
    return this.#demo;
  }

  /** The running demo node; started where there is none. Asking twice starts one. */
  async start(): Promise<NodeView> {
    if (this.#node) return this.#options.book.view(this.#node.profile.nodeKey);
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    const node = this.#node;
    if (!node) return;
    this.#node = undefined;
    this.#say({ step: "stopping" });
    await node.stop();
    this.#say({ step: "idle", nodeId: null });
  }

  async #start(): Promise<NodeView> {
    const { client, device, place, book } = this.#options;
    this.#say({ step: "preparing", nodeId: null, error: null });
    try {
      for (const { path } of place.models)
        if (!existsSync(path)) throw new DesktopError("ERR_MODEL_MISSING", `no model at ${path}`);
      const dir = mkdtempSync(join(tmpdir(), "phantoma-demo-"));
      this.#say({ step: "starting" });
      const node = await client.startNode({ ...place, dir, device });
      this.#node = node;
      const { id } = book.addDemo(node.profile, node.policyReason ?? null);
      this.#say({ step: "connecting", nodeId: id });
      const { policy } = await book.ask(id, (control) => control.status());
      book.change(id, { policy });
      this.#say({ step: "ready" });
      return book.view(id);
    } catch (error) {
      await this.#giveUp();
      this.#say({ step: "failed", nodeId: null, error: consoleErrorOf(error) });
      throw error;
    }
  }

  async #giveUp(): Promise<void> {
    const node = this.#node;
    this.#node = undefined;
    if (!node) return;
    this.#options.book.remove(node.profile.nodeKey);
    await node.stop();
  }

  #say(change: Partial<Demo>): void {
    this.#demo = { ...this.#demo, ...change };
    this.#options.onChanged(this.#demo);
  }
}
