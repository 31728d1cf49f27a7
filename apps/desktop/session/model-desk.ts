/**
 * Windows and models of the nodes, as the page asks for them.
 *
 *   propose ──resolved here──> a person reads it ──open──> signed here ──> the node's warden verifies it
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { isPrivateAddress, signWindowOrder, type ResolvedModel } from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import type { NodeWindow, Proposal, PushEvent } from "../ipc/models.ts";
import { DesktopError } from "./desktop-error.ts";
import { ModelPush, type PushFile } from "./model-push.ts";
import type { NodeBook } from "./node-book.ts";
import type { NodeClient } from "./node-client.ts";
import { TransferHistory } from "./transfer-history.ts";

interface Proposed {
  readonly id: string;
  readonly model: ResolvedModel;
}

export interface ModelDeskOptions {
  readonly book: NodeBook;
  readonly client: NodeClient;
  readonly device: DeviceIdentity;
}

export class ModelDesk {
  readonly #options: ModelDeskOptions;
  readonly #push = new ModelPush();
  /** The last one of each node: an older one is of an older look at the host. */
  readonly #proposed = new Map<string, Proposed>();
  readonly #histories = new Map<string, TransferHistory>();

  constructor(options: ModelDeskOptions) {
    this.#options = options;
  }

  async window(node: string): Promise<NodeWindow> {
    const told = await this.#options.book.watch(node, (control) => control.window());
    return this.#history(node).add(told);
  }

  /** Asks the model's host and the name service from this machine; the node hears nothing of it. */
  async propose(node: string, from: string, sha256: string | undefined): Promise<Proposal> {
    const { book, client } = this.#options;
    book.usable(node);
    const model = await client.resolveModel({ from, ...(sha256 === undefined ? {} : { sha256 }) });
    const id = randomBytes(8).toString("hex");
    this.#proposed.set(node, { id, model });
    const { path, digest, bytes, digestFrom } = model;
    const endpoints = [...model.endpoints];
    const addresses = new Set(endpoints.map(({ address }) => address));
    return {
      id,
      endpoints,
      files: [{ name: path, digest, bytes }],
      digestFrom,
      privateAddresses: [...addresses].filter(isPrivateAddress),
    };
  }

  /** Signs what was proposed, and nothing else. */
  async open(node: string, proposal: string, minutes: number): Promise<NodeWindow> {
    const { book, device } = this.#options;
    const nodeKey = Buffer.from(book.usable(node).nodeKey, "hex");
    const proposed = this.#proposed.get(node);
    if (proposed?.id !== proposal)
      throw new DesktopError("ERR_PROPOSAL_UNKNOWN", "this is not what was looked up last");
    const told = await book.ask(node, async (control) => {
      const [{ nodeTime }, { highestCounter }] = await Promise.all([
        control.status(),
        control.window(),
      ]);
      const order = signWindowOrder(device, {
        node: nodeKey,
        models: [proposed.model],
        highestCounter,
        lifetimeMs: minutes * 60_000,
        nodeTime,
      });
      await control.openWindow(order);
      return control.window();
    });
    this.#proposed.delete(node);
    return this.#history(node).add(told);
  }

  async close(node: string): Promise<void> {
    this.#options.book.usable(node);
    await this.#options.book.ask(node, (control) => control.closeWindow());
  }

  async remove(node: string, digest: string): Promise<void> {
    this.#options.book.usable(node);
    await this.#options.book.ask(node, (control) => control.removeModel(digest));
  }

  verify(node: string, digest: string): Promise<boolean> {
    return this.#options.book.ask(node, (control) => control.verifyModel(digest));
  }

  async push(
    { node, name, bytes }: { node: string; name: string; bytes: number },
    send: (event: PushEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { book, client, device } = this.#options;
    const profile = book.usable(node);
    const pushFile: PushFile = (file) =>
      book.follow(node, () => client.pushModel(file, { profile, device, signal }));
    await this.#push.run({ name, bytes, send, signal, pushFile });
  }

  handOver(push: string, part: string): void {
    this.#push.handOver(push, part);
  }

  forget(node: string): void {
    this.#proposed.delete(node);
    this.#histories.delete(node);
  }

  #history(node: string): TransferHistory {
    let history = this.#histories.get(node);
    if (!history) this.#histories.set(node, (history = new TransferHistory()));
    return history;
  }
}
