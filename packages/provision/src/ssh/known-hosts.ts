/**
 * SSH host keys that a person confirmed, by address, in a file that only this user can read.
 *
 * @module
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { ProvisionError } from "../provision-error.ts";
import { addressName, type Address } from "./address.ts";
import { parseFingerprint, type HostKey } from "./host-key.ts";

export class KnownHosts {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws {@link ProvisionError} `ERR_KNOWN_HOSTS` */
  get(address: Address): HostKey | undefined {
    const hosts = this.#read();
    const name = addressName(address);
    // A server may be called as what every object has.
    return Object.hasOwn(hosts, name) ? hosts[name] : undefined;
  }

  /**
   * A person compared what the server shows: by eye, or by pasting what the provider shows.
   *
   * @throws {@link ProvisionError} `ERR_HOST_KEY_CHANGED`, `ERR_HOST_KEY_TEXT` or `ERR_KNOWN_HOSTS`
   */
  confirm(address: Address, shown: HostKey, pasted?: string): void {
    if (pasted !== undefined && parseFingerprint(pasted) !== shown.sha256)
      throw new ProvisionError("ERR_HOST_KEY_CHANGED", { about: shown.sha256 });
    this.#write({ ...this.#read(), [addressName(address)]: shown });
  }

  /** The server was installed anew, and its owner knows. */
  forget(address: Address): void {
    const { [addressName(address)]: _forgotten, ...others } = this.#read();
    this.#write(others);
  }

  #read(): Record<string, HostKey> {
    try {
      return parseHostKeys(readFileSync(this.#path, "utf8"));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
      // Not as if there were none: then a changed key would be a new one.
      throw new ProvisionError("ERR_KNOWN_HOSTS", { cause });
    }
  }

  /** The old file or the new one, never half of one. */
  #write(hosts: Record<string, HostKey>): void {
    writeFileSync(`${this.#path}.new`, JSON.stringify(hosts), { mode: 0o600, flush: true });
    renameSync(`${this.#path}.new`, this.#path);
  }
}

/** @throws where it is not what was written */
function parseHostKeys(untrusted: string): Record<string, HostKey> {
  const found = Object.create(null) as Record<string, HostKey>;
  for (const [address, value] of Object.entries(JSON.parse(untrusted) as object)) {
    const { algorithm, sha256 } = value as Partial<HostKey>;
    if (
      !/^[a-z0-9-]{1,32}$/.test(algorithm ?? "") ||
      !/^SHA256:[A-Za-z0-9+/]{43}$/.test(sha256 ?? "")
    )
      throw new RangeError(address);
    found[address] = { algorithm: algorithm!, sha256: sha256! };
  }
  return found;
}
