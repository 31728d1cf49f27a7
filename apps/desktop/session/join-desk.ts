/**
 * This console as a new device of somebody's node: by an invitation, or by a recovery kit.
 *
 * Nothing is sent to a node before a person compared the words; a kit's node is the one in the kit.
 *
 * @module
 */
import {
  answerInvitation,
  awaitEnrolment,
  ClientError,
  isRecoveryKit,
  openAsKit,
  openKit,
  opensVault,
  originOf,
  qrRows,
  restoreFromKit,
  type Joining,
  type RecoveryKit,
} from "@phantoma/client";
import { Secret, type DeviceIdentity, type VerifiedDeviceList } from "@phantoma/crypto";
import type { JoiningView, KitOpened } from "../ipc/devices.ts";
import type { NodeView } from "../ipc/node.ts";
import type { DeviceDesk } from "./device-desk.ts";
import { DesktopError } from "./desktop-error.ts";
import type { NodeBook } from "./node-book.ts";
import type { SavedShelf } from "./saved-shelf.ts";

export interface JoinDeskOptions {
  readonly book: NodeBook;
  readonly device: DeviceIdentity;
  /** So that a node which this machine knew before cannot show it an older list. */
  readonly devices: Pick<DeviceDesk, "remember">;
  readonly saved: Pick<SavedShelf, "takeByKit">;
}

export class JoinDesk {
  readonly #options: JoinDeskOptions;
  #joining: Joining | undefined;
  #waiting: AbortController | undefined;
  #kit: RecoveryKit | undefined;
  /** The list by which the kit took this console in. */
  #restored: VerifiedDeviceList | undefined;

  constructor(options: JoinDeskOptions) {
    this.#options = options;
  }

  async join(invitation: string, name: string): Promise<JoiningView> {
    this.leave();
    const joining = await answerInvitation(this.#options.device, name, invitation, Date.now());
    this.#options.book.assertFree(joining.invitation.profile);
    this.#joining = joining;
    const { expiresAt, profile } = joining.invitation;
    const code = { text: joining.code, rows: qrRows(joining.code), expiresAt };
    return { code, words: joining.words, nodeName: profile.name };
  }

  async accept(): Promise<NodeView> {
    const joining = this.#joining;
    if (!joining) throw new DesktopError("ERR_NOT_BEGUN", "no invitation was taken up");
    const { book, device, devices } = this.#options;
    const waiting = (this.#waiting = new AbortController());
    try {
      devices.remember(await awaitEnrolment(device, joining.invitation, waiting.signal));
    } catch (error) {
      if (waiting.signal.aborted) throw new ClientError("ERR_CANCELLED", "the pairing was left");
      throw error;
    }
    this.#joining = undefined;
    return book.addPaired(joining.invitation.profile);
  }

  leave(): void {
    this.#waiting?.abort();
    this.#waiting = undefined;
    this.#joining = undefined;
    this.#kit?.enclosed.erase();
    this.#kit = undefined;
    this.#restored = undefined;
  }

  async openKit(kitFile: string, typed: string): Promise<KitOpened> {
    this.leave();
    const kit = await openedKit(kitFile, typed);
    const { session, current } = await openAsKit(kit);
    const { profile } = session;
    try {
      // Before anything is signed with the kit: what it would be taken up as is another node here.
      this.#options.book.assertFree(profile);
      this.#options.devices.remember(current);
      const shown = current.devices.filter((one) => one.revokedAt === null && !isRecoveryKit(one));
      this.#kit = kit;
      const devices = shown.map(({ signingKey, name, role }) => ({
        id: hex(signingKey),
        name,
        role,
      }));
      return { nodeName: profile.name, devices };
    } finally {
      session.close();
    }
  }

  /** Asked once more after what is saved did not come, it only fetches that. */
  async restore(name: string, lost: readonly string[]): Promise<NodeView> {
    const kit = this.#kit;
    if (!kit) throw new DesktopError("ERR_NOT_BEGUN", "no kit was opened");
    const { book, device, devices, saved } = this.#options;
    const node = originOf(kit.profile);
    if (!this.#restored) {
      const { list, profile } = await restoreFromKit(kit, device, name, async (known) =>
        known.filter(({ signingKey }) => lost.includes(hex(signingKey))),
      );
      devices.remember(list);
      book.addPaired(profile);
      this.#restored = list;
    }
    const at = { node, devices: this.#restored };
    if (opensVault(kit))
      await book.ask(node, ({ vault: link }) => saved.takeByKit({ ...at, link }, kit));
    this.leave();
    return book.view(node);
  }
}

/** What is typed into a page is a text there; here it is bytes, and gone after its use. */
export async function openedKit(kitFile: string, typed: string): Promise<RecoveryKit> {
  const passphrase = new Secret(Buffer.from(typed, "utf8"));
  try {
    return await openKit(Buffer.from(kitFile, "base64"), passphrase);
  } finally {
    passphrase.erase();
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
