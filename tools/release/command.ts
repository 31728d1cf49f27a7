/**
 * What every command of the ceremony is, and what several of them say.
 *
 * @module
 */
import { quorumText } from "@phantoma/release";
import { type Ceremony, draftRoles } from "./ceremony.ts";
import type { Values } from "./options.ts";
import { askPassphrase } from "./passphrase.ts";
import { isTokenFile, openKeyFile, openTokenFile, type SigningKey } from "./signing-key.ts";

export interface Call {
  readonly values: Values;
  /** The ceremony's folder, then files. */
  readonly dir: string;
  readonly files: readonly string[];
  readonly say: (text: string) => void;
}

export interface CeremonyCommand {
  readonly usage: string;
  readonly summary: string;
  readonly run: (call: Call) => Promise<void>;
}

/** Who has signed each draft, and how many must. */
export function sayQuorums(ceremony: Ceremony, say: (text: string) => void): void {
  for (const role of draftRoles)
    for (const quorum of ceremony.quorums(role)) say(`${role}: ${quorumText(quorum)}`);
}

export async function openKey(path: string): Promise<SigningKey> {
  return isTokenFile(path)
    ? openTokenFile(path, await askPassphrase(`PIN for ${path}`))
    : openKeyFile(path, await askPassphrase(`passphrase of ${path}`));
}
