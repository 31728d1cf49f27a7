/**
 * Makes a recovery kit from a terminal: its file, read back and opened again before the node is told of it.
 *
 * @module
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import {
  addKit,
  assertOpensAgain,
  ClientError,
  kitName,
  newKit,
  newPassphraseWords,
  sealKit,
} from "@phantoma/client";
import { activeAdmin, Secret } from "@phantoma/crypto";
import { notice, UsageError, write, writeJson } from "../output.ts";
import { askNewPassphrase } from "../provision/new-passphrase.ts";
import type { Home } from "../home.ts";
import type { Peer } from "../session.ts";
import type { Directory } from "./directory.ts";
import { admit, outcomeOf, ownVault } from "./kit-vault.ts";

export interface KitWishes {
  /** The passphrase is made here and printed, once. */
  readonly words: boolean;
  readonly json: boolean;
}

/** @throws {@link UsageError} */
export function assertNoFile(path: string): void {
  if (existsSync(path)) throw new UsageError(`${path} is there already`);
}

export async function makeKit(
  home: Home,
  peer: Peer,
  directory: Directory,
  path: string,
  { words: isMade, json }: KitWishes,
): Promise<void> {
  assertNoFile(path);
  const current = await directory.current();
  if (!activeAdmin(current, peer.device.signing.publicKey))
    throw new ClientError("ERR_FORBIDDEN", "only an admin's device can make a kit");
  const made = isMade ? newPassphraseWords() : undefined;
  const passphrase = made
    ? new Secret(Buffer.from(made.join(" ")))
    : await askNewPassphrase("a passphrase for the kit");
  try {
    const now = Date.now();
    const vault = await ownVault(home, peer);
    const kit = newKit(peer.profile, current, now, vault);
    writeFileSync(path, await sealKit(kit, passphrase), { mode: 0o600, flag: "wx", flush: true });
    try {
      await assertOpensAgain(readFileSync(path), passphrase, kit);
      await directory.submit(addKit(peer.device, current, kit, now));
    } catch (error) {
      // A kit that no list names opens nothing.
      rmSync(path, { force: true });
      throw error;
    }
    const admission = async () => admit(kit, peer, home, await directory.current());
    const { failure } = vault ? await outcomeOf(admission()) : { failure: undefined };
    const opensSaved = vault !== undefined && failure === undefined;
    const said = { kit: path, name: kitName(kit), opensSaved };
    if (json) writeJson({ ...said, ...(made && { words: made }) });
    else {
      write(
        `wrote ${path}; it was read back and opens; in the list it is called "${kitName(kit)}"\n`,
      );
      if (made)
        write(`\nits passphrase; write it on paper, it is shown once:\n\n${lines(made)}\n\n`);
    }
    if (failure)
      notice(`it does not open what is saved (${failure}): sync, revoke this kit and make another`);
    else if (!vault)
      notice("nothing that is saved here is kept at this node: the kit opens no conversations");
    notice("keep the file and its passphrase in two places, neither of them this machine");
  } finally {
    passphrase.erase();
  }
}

/** Six in a line, as they are written down. */
function lines(words: readonly string[]): string {
  return `    ${words.slice(0, 6).join(" ")}\n    ${words.slice(6).join(" ")}`;
}
