/**
 * Recovery kits of the nodes that this console administers: made into a file here, which is read back and opened before
 * the node is told of it, and checked later.
 *
 *   HOME/kits/NODE-TIME.kit   0600, sealed under a passphrase; to be moved off this machine
 *
 * @module
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  addKit,
  assertLong,
  assertOpensAgain,
  ClientError,
  newKit,
  newPassphraseWords,
  opensVault,
  sealKit,
  standingOf,
  type RecoveryKit,
} from "@phantoma/client";
import { activeAdmin, Secret } from "@phantoma/crypto";
import { VaultError } from "@phantoma/vault";
import type { KitCheck } from "../ipc/devices.ts";
import type { DeviceDesk } from "./device-desk.ts";
import { openedKit } from "./join-desk.ts";
import type { NodeBook } from "./node-book.ts";
import { makePrivateDir, writePrivate } from "./private-file.ts";
import type { SavedShelf } from "./saved-shelf.ts";

/** Of a node's key: enough to tell a person's kits apart in a folder. */
const NODE_DIGITS = 8;

export class KitDesk {
  readonly #homeDir: string;
  readonly #book: NodeBook;
  readonly #devices: DeviceDesk;
  readonly #saved: SavedShelf;

  constructor(homeDir: string, book: NodeBook, devices: DeviceDesk, saved: SavedShelf) {
    this.#homeDir = homeDir;
    this.#book = book;
    this.#devices = devices;
    this.#saved = saved;
  }

  /** @param typed `null`: words are made, and shown once */
  async make(node: string, typed: string | null) {
    const words = typed === null ? newPassphraseWords() : null;
    const passphrase = new Secret(Buffer.from(typed ?? words!.join(" "), "utf8"));
    try {
      assertLong(passphrase);
      const vault = this.#saved.vaultAt(node);
      const current = await this.#devices.read(node);
      // After it: the node may have changed its key.
      const kit = newKit(this.#book.usable(node), current, Date.now(), vault);
      const sealed = await sealKit(kit, passphrase);
      const dir = join(this.#homeDir, "kits");
      makePrivateDir(dir);
      const path = join(dir, `${node.slice(0, NODE_DIGITS)}-${kit.madeAt}.kit`);
      writePrivate(path, sealed);
      try {
        await assertOpensAgain(readFileSync(path), passphrase, kit);
        await this.#devices.sign(node, (current, admin) => {
          if (!activeAdmin(current, admin.signing.publicKey))
            throw new ClientError("ERR_FORBIDDEN", "only an admin's device can make a kit");
          return addKit(admin, current, kit, kit.madeAt);
        });
      } catch (error) {
        // A kit that no list names opens nothing.
        rmSync(path, { force: true });
        throw error;
      }
      return { path, words, opensSaved: vault !== undefined && (await this.#admit(node, kit)) };
    } finally {
      passphrase.erase();
    }
  }

  /** The kit is made, and its words must be shown, whether it gets the vault's key or not. */
  async #admit(node: string, kit: RecoveryKit): Promise<boolean> {
    try {
      await this.#book.ask(node, async (control) => {
        const devices = await this.#devices.current(node, control);
        await this.#saved.admitKit({ node, link: control.vault, devices }, kit);
      });
      return true;
    } catch (error) {
      if (error instanceof ClientError || error instanceof VaultError) return false;
      throw error;
    }
  }

  /** With this device's key: the kit's own stays unused. */
  async check(node: string, kitFile: string, typed: string): Promise<KitCheck> {
    const kit = await openedKit(kitFile, typed);
    const opensSaved = opensVault(kit);
    kit.enclosed.erase();
    const current = await this.#devices.read(node);
    // After it: the node may have changed its key.
    const standing = standingOf(kit, this.#book.usable(node), current);
    return { madeAt: kit.madeAt, standing, opensSaved };
  }
}
