/**
 * The nodes this console knows: confirmed or not, online or not.
 *
 *   unknown ──ask──> connecting ──answer──> online ──failure──> offline ──retry──> connecting …
 *
 * A node that went offline is asked again, less and less often, until it answers.
 *
 *   HOME/nodes/NAME.json   0600, profiles of provisioned nodes; a demo node's is never written
 *
 * @module
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  ClientError,
  controlRefusals,
  followSuccession,
  nextSeenDevices,
  originOf,
  parseProfile,
  parseSeenDevices,
  retryDelayMs,
  type NodeProfile,
  type TunnelOptions,
} from "@phantoma/client";
import type { VerifiedDeviceList } from "@phantoma/crypto";
import type { NodeView } from "../ipc/node.ts";
import { consoleErrorOf, DesktopError } from "./desktop-error.ts";
import { fingerprintView } from "./fingerprint-view.ts";
import { HeldControl } from "./held-control.ts";
import type { LiveControl } from "./node-client.ts";
import { makePrivateDir, readIfPresent, writePrivate } from "./private-file.ts";

/** Of a node's key: enough for a file's name. */
const NAME_DIGITS = 16;

interface Known {
  profile: NodeProfile;
  /** Where the profile lies, for a node that is remembered. */
  readonly path: string | undefined;
  /** For what a page asks again and again. */
  readonly held: HeldControl;
  view: NodeView;
  failures: number;
  retry: NodeJS.Timeout | undefined;
}

export interface NodeBookOptions {
  readonly homeDir: string;
  readonly openControl: (node: Pick<TunnelOptions, "profile" | "follow">) => Promise<LiveControl>;
  readonly onChanged: (node: NodeView) => void;
  readonly onRemoved: (id: string) => void;
}

/** The newest device list that was seen of the node with this key. */
export function seenPath(homeDir: string, nodeKey: string): string {
  return join(homeDir, "nodes", `${nodeKey}.seen`);
}

/** A node is called by the key that it began with: pages and saved conversations go on when it has another. */
export class NodeBook {
  readonly #options: NodeBookOptions;
  readonly #nodes = new Map<string, Known>();

  constructor(options: NodeBookOptions) {
    this.#options = options;
    const dir = join(options.homeDir, "nodes");
    makePrivateDir(dir);
    for (const name of readdirSync(dir).filter((file) => file.endsWith(".json")))
      this.#remember(join(dir, name));
  }

  list(): NodeView[] {
    return [...this.#nodes.values()].map(({ view }) => view);
  }

  view(id: string): NodeView {
    return this.#known(id).view;
  }

  /** Takes a demo node up, unconfirmed. @param policyReason why its kernel policy is not in force */
  addDemo(profile: NodeProfile, policyReason: string | null): NodeView {
    const { id } = this.#add(profile, "demo", undefined);
    if (policyReason !== null) this.change(id, { policyReason });
    return this.view(id);
  }

  /**
   * Which keys a node had before is only said by whoever invites: nobody takes the place of a node here by naming its
   * first one.
   *
   * @throws {@link ClientError} `ERR_NODE_IDENTITY` where the node of that first key has another key here
   */
  assertFree(profile: NodeProfile): void {
    const known = this.#nodes.get(originOf(profile));
    if (known && known.profile.nodeKey !== profile.nodeKey)
      throw new ClientError(
        "ERR_NODE_IDENTITY",
        "a node of this console is said to have another key now: forget it here first, if that is true",
      );
  }

  /**
   * Takes a node up that this device was paired with, and remembers it. One of the same key is replaced.
   *
   * @throws as {@link assertFree}
   */
  addPaired(profile: NodeProfile): NodeView {
    this.assertFree(profile);
    const id = originOf(profile);
    if (this.#nodes.has(id)) this.remove(id);
    const path = join(this.#options.homeDir, "nodes", `${id.slice(0, NAME_DIGITS)}.json`);
    writePrivate(path, JSON.stringify(profile));
    return this.#add(profile, "provisioned", path);
  }

  /**
   * Takes up a node that was set up from here: its keys came over SSH, whose host key a person had confirmed.
   *
   * @param devices its first list: without one its admins would be unknown here, and its next key need none of them
   */
  addProvisioned(found: NodeProfile, devices: VerifiedDeviceList): NodeView {
    const seen = seenPath(this.#options.homeDir, found.nodeKey);
    if (!isReadable(readIfPresent(seen)))
      writePrivate(seen, JSON.stringify(nextSeenDevices(undefined, devices)));
    const path = join(this.#options.homeDir, "nodes", `${found.name}.json`);
    const before = [...this.#nodes.values()].find((one) => one.profile.nodeKey === found.nodeKey);
    // The server does not say which keys it had before.
    const former = before?.profile.formerKeys;
    const profile = former ? { ...found, formerKeys: former } : found;
    clearTimeout(before?.retry);
    before?.held.close();
    if (before?.path !== undefined && before.path !== path) rmSync(before.path, { force: true });
    writePrivate(path, JSON.stringify(profile));
    return this.#add(profile, "provisioned", path);
  }

  /** The key of the node that is kept under this name. */
  remembered(name: string): string | undefined {
    const known = [...this.#nodes.values()].find(
      ({ profile, path }) => path !== undefined && profile.name === name,
    );
    return known?.profile.nodeKey;
  }

  confirm(id: string): NodeView {
    this.#known(id);
    this.change(id, { isConfirmed: true });
    return this.view(id);
  }

  /** The node's profile, to connect with. @throws {@link DesktopError} `ERR_NOT_CONFIRMED` */
  usable(id: string): NodeProfile {
    const { profile, view } = this.#known(id);
    if (!view.isConfirmed)
      throw new DesktopError("ERR_NOT_CONFIRMED", "this node's fingerprint was not confirmed");
    return profile;
  }

  /** That it has now, confirmed or not: what it shows is checked against it. */
  keyOf(id: string): string {
    return this.#known(id).profile.nodeKey;
  }

  /** For whoever connects to it: the node has another key now, and is the same. */
  following(id: string): NonNullable<TunnelOptions["follow"]> {
    return (untrusted, { nodeKey }) => {
      const known = this.#known(id);
      // Another connection has followed meanwhile.
      if (known.profile.nodeKey !== nodeKey) return known.profile;
      const { homeDir } = this.#options;
      const stored = readIfPresent(seenPath(homeDir, nodeKey))?.toString("utf8");
      const before = stored === undefined ? undefined : parseSeenDevices(stored);
      const { profile, seen } = followSuccession(known.profile, untrusted, before);
      if (known.path) {
        writePrivate(seenPath(homeDir, profile.nodeKey), JSON.stringify(seen));
        writePrivate(known.path, JSON.stringify(profile));
      }
      known.profile = profile;
      this.change(id, { fingerprint: fingerprintView(Buffer.from(profile.nodeKey, "hex")) });
      return profile;
    };
  }

  /** A person approved a release: tasks are given to it from now on, too. */
  takesRelease(id: string, taken: Pick<NodeProfile, "release" | "approvedRelease">): void {
    const known = this.#known(id);
    known.profile = { ...known.profile, ...taken };
    if (known.path) writePrivate(known.path, JSON.stringify(known.profile));
  }

  remove(id: string): void {
    const { path } = this.#known(id);
    this.#letGo(id);
    if (path) rmSync(path, { force: true });
    this.#options.onRemoved(id);
  }

  /** For good, with what was seen of it: pairing begins anew, also where that cannot be read any more. */
  forget(id: string): void {
    const { nodeKey, formerKeys = [] } = this.#known(id).profile;
    this.remove(id);
    for (const key of [nodeKey, ...formerKeys])
      rmSync(seenPath(this.#options.homeDir, key), { force: true });
  }

  /** Asks the node over a control session; its state follows the outcome. */
  async ask<T>(id: string, question: (control: LiveControl) => Promise<T>): Promise<T> {
    const { profile } = this.#known(id);
    return this.follow(id, async () => {
      const follow = this.following(id);
      const control = await this.#options.openControl({ profile, follow });
      try {
        return await question(control);
      } finally {
        control.close();
      }
    });
  }

  /** The same over a session that is kept for the next question, which must only read. */
  async watch<T>(id: string, question: (control: LiveControl) => Promise<T>): Promise<T> {
    const { held } = this.#known(id);
    return this.follow(id, () => held.ask(question));
  }

  /** Lets the node's state follow the outcome of something that was asked of it. */
  async follow<T>(id: string, asking: () => Promise<T>): Promise<T> {
    const known = this.#known(id);
    if (known.view.state !== "online") this.change(id, { state: "connecting" });
    try {
      const answer = await asking();
      this.reached(id);
      return answer;
    } catch (error) {
      if (isAnswer(error)) this.reached(id);
      else this.missed(id, error);
      throw error;
    }
  }

  /** Something of the node answered. */
  reached(id: string): void {
    const known = this.#nodes.get(id);
    if (!known) return;
    known.failures = 0;
    clearTimeout(known.retry);
    known.retry = undefined;
    if (known.view.state !== "online") this.change(id, { state: "online", error: null });
  }

  /** Connecting failed, or what was open broke. */
  missed(id: string, error: unknown): void {
    const known = this.#nodes.get(id);
    if (!known) return;
    this.change(id, { state: "offline", error: consoleErrorOf(error) });
    if (known.retry || !isWorthRetrying(error)) return;
    const again = () => {
      known.retry = undefined;
      void this.ask(id, (control) => control.status()).catch(() => undefined);
    };
    known.retry = setTimeout(again, retryDelayMs(known.failures)).unref();
    known.failures += 1;
  }

  change(id: string, change: Partial<NodeView>): void {
    const known = this.#nodes.get(id);
    if (!known) return;
    known.view = { ...known.view, ...change };
    this.#options.onChanged(known.view);
  }

  close(): void {
    for (const id of this.#nodes.keys()) this.#letGo(id);
  }

  #letGo(id: string): void {
    const { profile, path, retry, held } = this.#known(id);
    clearTimeout(retry);
    held.close();
    // What was seen of a node stays until it is forgotten; a demo node never comes again.
    if (!path) rmSync(seenPath(this.#options.homeDir, profile.nodeKey), { force: true });
    this.#nodes.delete(id);
  }

  #remember(path: string): void {
    const stored = readIfPresent(path);
    if (stored) this.#add(parseProfile(stored.toString("utf8")), "provisioned", path);
  }

  #add(profile: NodeProfile, kind: NodeView["kind"], path: string | undefined): NodeView {
    const { nodeKey, name, url, starter } = profile;
    const id = originOf(profile);
    const fingerprint = fingerprintView(Buffer.from(nodeKey, "hex"));
    const isConfirmed = path !== undefined;
    const follow = this.following(id);
    const held = new HeldControl(() =>
      this.#options.openControl({ profile: this.#known(id).profile, follow }),
    );
    const unasked = { policy: null, policyReason: null, role: null };
    const state = { state: "unknown", error: null, ...unasked } as const;
    const view: NodeView = { id, name, url, kind, isConfirmed, fingerprint, ...state, starter };
    this.#nodes.set(id, { profile, path, held, view, failures: 0, retry: undefined });
    this.#options.onChanged(view);
    return view;
  }

  #known(id: string): Known {
    const known = this.#nodes.get(id);
    if (!known) throw new DesktopError("ERR_NODE_UNKNOWN", "no such node is paired");
    return known;
  }
}

/** A record of device lists; there may be none. */
function isReadable(untrusted: Buffer | undefined): boolean {
  if (!untrusted) return false;
  try {
    parseSeenDevices(untrusted.toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

/** A node that refuses is there, and so is one that was never asked because the console refused. */
function isAnswer(error: unknown): boolean {
  return error instanceof ClientError
    ? answeredCodes.has(error.code)
    : error instanceof DesktopError;
}

const answeredCodes: ReadonlySet<string> = new Set([
  // Its keeper does not answer: half of the node is away.
  ...controlRefusals.filter((code) => code !== "ERR_UNAVAILABLE"),
  "ERR_CLOCKS",
  "ERR_MODEL_SOURCE",
  "ERR_MODEL_FILE",
  "ERR_CANCELLED",
]);

/** A revoked device or a false certificate does not pass by waiting. */
function isWorthRetrying(error: unknown): boolean {
  return (
    error instanceof ClientError &&
    ["ERR_UNREACHABLE", "ERR_CONNECTION_LOST", "ERR_TIMEOUT", "ERR_UNAVAILABLE"].includes(
      error.code,
    )
  );
}
