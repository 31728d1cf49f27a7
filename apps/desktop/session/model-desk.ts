/**
 * Windows and models of the nodes, as the page asks for them.
 *
 *   propose ──resolved here──> a person reads it ──open──> signed here ──> the node's warden verifies it
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { DeviceIdentity } from "@phantoma/crypto";
import type { NodeWindow, Proposal, PushEvent } from "../ipc/models.ts";
import { DesktopError } from "./desktop-error.ts";
import { ModelPush } from "./model-push.ts";
import type { NodeBook } from "./node-book.ts";
import type { LiveControl, NodeClient, ResolvedModel } from "./node-client.ts";
import { TransferHistory } from "./transfer-history.ts";

interface Proposed {
  readonly id: string;
  readonly resolved: ResolvedModel;
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
  async propose(node: string, address: string, digest: string | undefined): Promise<Proposal> {
    const { book, client } = this.#options;
    book.usable(node);
    const resolved = await client.resolveModel(address, digest);
    const id = randomBytes(8).toString("hex");
    this.#proposed.set(node, { id, resolved });
    return { id, ...client.describeModel(resolved) };
  }

  /** Signs what was proposed, and nothing else. */
  async open(node: string, proposal: string, minutes: number): Promise<NodeWindow> {
    const { book, client, device } = this.#options;
    const { nodeKey } = book.usable(node);
    const proposed = this.#proposed.get(node);
    if (proposed?.id !== proposal)
      throw new DesktopError("ERR_PROPOSAL_UNKNOWN", "this is not what was looked up last");
    const told = await book.ask(node, async (control: LiveControl) => {
      const { highestCounter } = await control.window();
      const order = client.signWindow(device, {
        node: Buffer.from(nodeKey, "hex"),
        resolved: proposed.resolved,
        highestCounter: BigInt(highestCounter),
        now: Date.now(),
        lastsMs: minutes * 60_000,
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
    const { book } = this.#options;
    book.usable(node);
    const ask = <T>(question: (control: LiveControl) => Promise<T>) => book.ask(node, question);
    await this.#push.run({ name, bytes, send, signal, ask });
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
