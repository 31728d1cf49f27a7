/**
 * SSH host keys as the terminal keeps them.
 *
 * @module
 */
export const HOSTS_FILE = "hosts.json";

export interface HostKey {
  readonly algorithm: string;
  readonly sha256: string;
}

/** @throws where it is not what was written */
export function parseHostKeys(untrusted: string): Record<string, HostKey> {
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
