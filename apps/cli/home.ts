/**
 * What the terminal keeps on this machine: one device key and the nodes it was paired with.
 *
 *   HOME/device.key        0600, both private keys, 64 bytes
 *   HOME/nodes/NAME.json   0600, a node's address, keys and certificate
 *
 * The key lies in a file that only this user can read; the console keeps it in the system's key
 * store instead. Nothing of a conversation is ever written.
 *
 * @module
 */
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
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
import { ClientError, parseProfile, type NodeProfile } from "@phantoma/client";

/** A name becomes a file name, so it is a plain one. */
const NODE_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

export class Home {
  readonly #dir: string;

  constructor(dir: string | undefined) {
    this.#dir = dir ?? process.env.PHANTOMA_HOME ?? join(homedir(), ".config", "phantoma");
    mkdirSync(join(this.#dir, "nodes"), { recursive: true, mode: 0o700 });
    chmodSync(this.#dir, 0o700);
  }

  /** This machine's device key, made at its first use. */
  device(): DeviceIdentity {
    const path = join(this.#dir, "device.key");
    const stored = readIfPresent(path);
    if (stored) {
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
    const files = readdirSync(join(this.#dir, "nodes")).filter((name) => name.endsWith(".json"));
    return files.toSorted().map((name) => this.#read(name));
  }

  /** The named node, or the only one. */
  node(name: string | undefined): NodeProfile {
    const nodes = this.nodes();
    const found =
      name === undefined && nodes.length === 1 ? nodes[0] : nodes.find((n) => n.name === name);
    if (found) return found;
    const known = nodes.map((n) => n.name).join(", ") || "none; `phantoma node demo` starts one";
    throw new ClientError("ERR_PROFILE", `name a node with --node (paired: ${known})`);
  }

  save(profile: NodeProfile): void {
    const path = this.#path(profile.name);
    writeFileSync(`${path}.new`, JSON.stringify(profile), { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
  }

  forget(name: string): void {
    rmSync(this.#path(name), { force: true });
  }

  #read(file: string): NodeProfile {
    return parseProfile(readFileSync(join(this.#dir, "nodes", file), "utf8"));
  }

  #path(name: string): string {
    if (!NODE_NAME.test(name))
      throw new ClientError("ERR_PROFILE", "a node's name has small letters, digits and dashes");
    return join(this.#dir, "nodes", `${name}.json`);
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
