/**
 * Whether other programs of this machine may ask a node through the console. Off at every start.
 *
 *   HOME/keys/NAME   0600, the keys of programs; packages/endpoint makes and reads them
 *
 * @module
 */
import { join } from "node:path";
import type { NodeProfile } from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import { ApiKeys, DEFAULT_PORT, Endpoint } from "@phantoma/endpoint";
import type { EndpointView } from "../ipc/contract.ts";

const OFF: EndpointView = { node: null, url: null, keysDir: null };

export interface EndpointSwitchOptions {
  readonly homeDir: string;
  readonly device: DeviceIdentity;
  /** The profile of a node that may be used; throws where it may not. */
  readonly usable: (node: string) => NodeProfile;
  readonly port?: number;
}

export class EndpointSwitch {
  readonly #options: EndpointSwitchOptions;
  #served: { readonly node: string; readonly endpoint: Endpoint } | undefined;
  /** One change after the other. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(options: EndpointSwitchOptions) {
    this.#options = options;
  }

  get view(): EndpointView {
    if (!this.#served) return OFF;
    const { node, endpoint } = this.#served;
    return { node, url: `http://127.0.0.1:${endpoint.port}/v1`, keysDir: this.#keysDir };
  }

  /** @param node `null` for none. @throws `DesktopError`, or `ClientError` `ERR_UNAVAILABLE` */
  set(node: string | null): Promise<EndpointView> {
    const change = this.#changing.then(() => this.#change(node));
    this.#changing = change.catch(() => undefined);
    return change;
  }

  /** Ends serving this node, if it is the one. */
  async forget(node: string): Promise<void> {
    await this.#changing;
    if (this.#served?.node === node) await this.set(null);
  }

  get #keysDir(): string {
    return join(this.#options.homeDir, "keys");
  }

  async #change(node: string | null): Promise<EndpointView> {
    const profile = node === null ? undefined : this.#options.usable(node);
    const before = this.#served;
    this.#served = undefined;
    await before?.endpoint.close();
    if (node === null || !profile) return OFF;
    const { device, port = DEFAULT_PORT } = this.#options;
    const keys = ApiKeys.open(this.#keysDir);
    this.#served = { node, endpoint: await Endpoint.start({ profile, device, keys, port }) };
    return this.view;
  }
}
