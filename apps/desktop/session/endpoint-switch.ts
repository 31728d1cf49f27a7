/**
 * Whether other programs of this machine may ask a node through the console. Off at every start.
 *
 *   HOME/keys/NAME   0600, the keys of programs; packages/endpoint makes and reads them
 *
 * @module
 */
import { join } from "node:path";
import { ClientError, type NodeProfile, type TunnelOptions } from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import { ApiKeys, DEFAULT_KEY, DEFAULT_PORT, Endpoint } from "@phantoma/endpoint";
import type { EndpointView } from "../ipc/contract.ts";

const OFF: EndpointView = { node: null, url: null, keyFile: null };

export interface EndpointSwitchOptions {
  readonly homeDir: string;
  readonly device: DeviceIdentity;
  /** The profile of a node that may be used; throws where it may not. */
  readonly usable: (node: string) => NodeProfile;
  /** How it is followed when it changes its key. */
  readonly following: (node: string) => NonNullable<TunnelOptions["follow"]>;
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
    const keyFile = join(this.#keysDir, this.#keyName);
    return { node, url: `http://127.0.0.1:${endpoint.port}/v1`, keyFile };
  }

  /** For a person to hand on. @throws `ClientError` `ERR_UNAVAILABLE` while no node is served */
  key(): string {
    if (!this.#served) throw new ClientError("ERR_UNAVAILABLE", "no node is served");
    return ApiKeys.read(this.#keysDir, this.#keyName);
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

  /** The one that is made by itself, or what a person has instead. */
  get #keyName(): string {
    const names = ApiKeys.names(this.#keysDir);
    return names.find((name) => name === DEFAULT_KEY) ?? names[0] ?? DEFAULT_KEY;
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
    const { device, following, port = DEFAULT_PORT } = this.#options;
    const keys = ApiKeys.open(this.#keysDir);
    const peer = { profile, device, follow: following(node) };
    this.#served = { node, endpoint: await Endpoint.start({ ...peer, keys, port }) };
    return this.view;
  }
}
