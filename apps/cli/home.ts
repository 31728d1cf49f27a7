/**
 * What the terminal keeps on this machine: one device key and the nodes it was paired with.
 *
 *   HOME/device.key                0600, both private keys, 64 bytes
 *   HOME/nodes/NAME.json           0600, a node's address, keys and certificate
 *   HOME/nodes/NAME.devices.json   0600, version, hash and admins of the newest device list that was seen
 *   HOME/nodes/NAME.invite.json    0600, the invitation that waits for a device, and its tries; nothing secret
 *   HOME/keys/NAME                 0600, what a program shows to `phantoma serve`
 *   HOME/hosts.json                0600, SSH host keys that a person confirmed, by address
 *   HOME/vault.sqlite              0600, conversations that were saved, every row sealed
 *   HOME/releases/                 the newest release metadata and time that were verified here
 *
 * The key lies in a file that only this user can read; the console keeps it in the system's key
 * store instead. Nothing of a conversation is written unless it is saved, and then sealed.
 *
 * @module
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import {
  exportDeviceIdentity,
  generateDeviceIdentity,
  importDeviceIdentity,
  Secret,
  type DeviceIdentity,
} from "@phantoma/crypto";
import {
  ClientError,
  followSuccession,
  parseProfile,
  parseSeenDevices,
  type HeldInvitation,
  type NodeProfile,
  type SeenDevices,
  type TunnelOptions,
} from "@phantoma/client";

/** A name becomes a file name, so it is a plain one. */
const NODE_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const PROFILE_FILE = /^[a-z0-9][a-z0-9-]{0,63}\.json$/;
/** Group and others may do nothing with a key. */
const NOT_OURS_ALONE = 0o077;

export interface NodePeer {
  /** As it is now. */
  readonly profile: NodeProfile;
  readonly device: DeviceIdentity;
  readonly follow: NonNullable<TunnelOptions["follow"]>;
}

/** No node is paired here, none of this name, or several and none was named. */
export class NodeUnknown extends Error {
  readonly code = "ERR_NODE_UNKNOWN";
  readonly action: string;

  constructor(name: string | undefined, known: readonly string[]) {
    super(
      known.length === 0
        ? "no node is paired with this machine"
        : name === undefined
          ? "several nodes are paired with this machine"
          : `no node is called ${name} here`,
    );
    this.action =
      known.length === 0
        ? "start one here with `phantoma node demo`, or make one of a server with `phantoma provision`"
        : `name one with --node: ${known.join(", ")}`;
  }
}

export class Home {
  readonly #dir: string;

  constructor(dir: string | undefined) {
    this.#dir = dir ?? process.env.PHANTOMA_HOME ?? join(homedir(), ".config", "phantoma");
    // A folder that was there keeps its mode: it may be everybody's, and its files are not.
    mkdirSync(join(this.#dir, "nodes"), { recursive: true, mode: 0o700 });
  }

  /** What was seen of releases, so that an older one is refused later. */
  get releasesDir(): string {
    return join(this.#dir, "releases");
  }

  /** SSH host keys that a person confirmed; `KnownHosts` of packages/provision reads and writes them. */
  get hostsPath(): string {
    return join(this.#dir, "hosts.json");
  }

  /** The keys of programs; {@link ApiKeys} of packages/endpoint reads and makes them. */
  get keysDir(): string {
    return join(this.#dir, "keys");
  }

  /** Saved conversations; {@link LocalVault} of packages/vault reads and makes them. */
  get vaultPath(): string {
    return join(this.#dir, "vault.sqlite");
  }

  /** This machine's device key, made at its first use. */
  device(): DeviceIdentity {
    const path = join(this.#dir, "device.key");
    const stored = readIfPresent(path);
    if (stored) {
      assertOursAlone(path);
      const secret = new Secret(stored);
      try {
        return importDeviceIdentity(secret);
      } catch {
        throw new ClientError("ERR_PROFILE", `${path} is not a device key`);
      } finally {
        secret.erase();
      }
    }
    const device = generateDeviceIdentity();
    const secret = exportDeviceIdentity(device);
    writeFileSync(path, secret.expose(), { mode: 0o600, flag: "wx", flush: true });
    secret.erase();
    return device;
  }

  nodes(): NodeProfile[] {
    const files = readdirSync(join(this.#dir, "nodes")).filter((name) => PROFILE_FILE.test(name));
    return files.toSorted().map((name) => this.#read(name));
  }

  /** The named node, or the only one. @throws {@link NodeUnknown} */
  node(name: string | undefined): NodeProfile {
    const nodes = this.nodes();
    const found =
      name === undefined && nodes.length === 1 ? nodes[0] : nodes.find((n) => n.name === name);
    if (found) return found;
    throw new NodeUnknown(
      name,
      nodes.map((n) => n.name),
    );
  }

  /** The named node, or the only one, and this machine's device; a node that changed its key is followed, and remembered so. */
  peer(name: string | undefined): NodePeer {
    let profile = this.node(name);
    return {
      get profile() {
        return profile;
      },
      device: this.device(),
      follow: (untrusted, known) => {
        // Another connection has followed meanwhile.
        if (known.nodeKey !== profile.nodeKey) return profile;
        const seen = this.seenDevices(profile.name);
        const followed = followSuccession(profile, untrusted, seen);
        this.saveFollowed(followed);
        return (profile = followed.profile);
      },
    };
  }

  /** The profile first: after a cut between the two a list of the old key is known, which says nothing of the new one. */
  saveFollowed({ profile, seen }: ReturnType<typeof followSuccession>): void {
    this.save(profile);
    this.saveSeenDevices(profile.name, seen);
  }

  save(profile: NodeProfile): void {
    replaceFile(this.#path(profile.name, "json"), profile);
  }

  /** @returns whether there was one, readable or not */
  forget(name: string): boolean {
    const isKnown = existsSync(this.#path(name, "json"));
    rmSync(this.#path(name, "json"), { force: true });
    rmSync(this.#path(name, "devices.json"), { force: true });
    rmSync(this.#path(name, "invite.json"), { force: true });
    return isKnown;
  }

  /**
   * Which keys a node had before is only said by whoever invites, so the key of now decides: nobody takes the place of a
   * node here by naming its first one.
   *
   * @throws {@link ClientError} `ERR_PROFILE` where another node already has this name here
   */
  assertFree({ name, nodeKey }: Pick<NodeProfile, "name" | "nodeKey">): void {
    this.#path(name, "json");
    const known = this.nodes().find((one) => one.name === name);
    if (known && known.nodeKey !== nodeKey)
      throw new ClientError(
        "ERR_PROFILE",
        `another node is called ${name} here: name this one with --as`,
      );
  }

  /** The invitation that this machine made last; one that cannot be read is none. */
  invitation(name: string): HeldInvitation | undefined {
    const stored = readIfPresent(this.#path(name, "invite.json"));
    if (!stored) return undefined;
    try {
      const { code, expiresAt, triesLeft } = JSON.parse(stored.toString("utf8"));
      const isOne = typeof code === "string" && [expiresAt, triesLeft].every(Number.isSafeInteger);
      return isOne ? { code, expiresAt, triesLeft } : undefined;
    } catch {
      return undefined;
    }
  }

  saveInvitation(name: string, held: HeldInvitation): void {
    replaceFile(this.#path(name, "invite.json"), held);
  }

  /** The newest device list seen under this name; perhaps of an earlier node. */
  seenDevices(name: string): SeenDevices | undefined {
    const stored = readIfPresent(this.#path(name, "devices.json"));
    return stored && parseSeenDevices(stored.toString("utf8"));
  }

  saveSeenDevices(name: string, seen: SeenDevices): void {
    replaceFile(this.#path(name, "devices.json"), seen);
  }

  #read(file: string): NodeProfile {
    return parseProfile(readFileSync(join(this.#dir, "nodes", file), "utf8"));
  }

  #path(name: string, extension: "json" | "devices.json" | "invite.json"): string {
    if (!NODE_NAME.test(name))
      throw new ClientError("ERR_PROFILE", "a node's name has small letters, digits and dashes");
    return join(this.#dir, "nodes", `${name}.${extension}`);
  }
}

function readIfPresent(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ClientError("ERR_PROFILE", `${path} cannot be read`);
  }
}

/** The old file or the new one, never half of one. */
function replaceFile(path: string, value: object): void {
  writeFileSync(`${path}.new`, JSON.stringify(value), { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}

/** Windows has no such modes; there the folder's own rights count. */
function assertOursAlone(path: string): void {
  if (process.platform === "win32" || (statSync(path).mode & NOT_OURS_ALONE) === 0) return;
  const message = `other users may read ${path}: run chmod 600 on it; if one could have read it, delete it and have this device revoked`;
  throw new ClientError("ERR_PROFILE", message);
}
