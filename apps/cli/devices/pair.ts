/**
 * The two sides of a pairing in a terminal: an admin's invitation and signature, the new device's code and trust.
 *
 * @module
 */
import { hostname } from "node:os";
import {
  afterTry,
  answerInvitation,
  assertNameIsFree,
  awaitEnrolment,
  ClientError,
  makeInvitation,
  nextSeenDevices,
  qrText,
  signAddedDevice,
  spent,
  takeRequest,
} from "@phantoma/client";
import type { Device } from "@phantoma/crypto";
import type { Home } from "../home.ts";
import { notice, oneLine, UsageError, write, writeJson } from "../output.ts";
import type { Peer } from "../session.ts";
import { described, type Directory } from "./directory.ts";
import { askPerson, saysYes } from "./person.ts";

interface Shown {
  readonly json: boolean;
}

/** On an admin's device: which node, for ten minutes and one device. */
export async function invite(
  home: Home,
  peer: Peer,
  directory: Directory,
  { json }: Shown,
): Promise<number> {
  const current = await directory.current();
  // After it: the node may have changed its key.
  const { profile, device } = peer;
  const held = makeInvitation(device, profile, current, Date.now());
  home.saveInvitation(profile.name, held);
  if (json) writeJson({ invitation: held.code, expiresAt: held.expiresAt });
  else {
    write(`${qrText(held.code)}\n\n${held.code}\n`);
    notice("on the new device, within ten minutes:  phantoma devices join");
    notice("then here, with the code that it shows:  phantoma devices add");
  }
  return 0;
}

export interface JoinOptions extends Shown {
  readonly name?: string;
  /** What the node is called on this machine. */
  readonly as?: string;
}

/** On the new device: shows its code and the words, and is paired when a person said they are the same. */
export async function join(home: Home, code: string | undefined, options: JoinOptions) {
  const { json, name = hostname() } = options;
  const invitation = code ?? (await askPerson("the invitation of an admin's device:"));
  const device = home.device();
  const joining = await answerInvitation(device, name, invitation, Date.now());
  const profile = {
    ...joining.invitation.profile,
    name: options.as ?? joining.invitation.profile.name,
  };
  home.assertFree(profile);
  if (json) writeJson({ code: joining.code, words: joining.words, node: profile.nodeKey });
  else write(`${qrText(joining.code)}\n\n${joining.code}\n\n${wordLine(joining.words)}\n\n`);
  notice("give this code to the admin's device; it must show the same six words");
  if (!(await saysYes("does the admin's device show the same six words?"))) throw wordsDiffer();
  notice("waiting until the admin's device has signed");
  const list = await awaitEnrolment(device, joining.invitation);
  const seen = nextSeenDevices(home.seenDevices(profile.name), list);
  home.save(profile);
  home.saveSeenDevices(profile.name, seen);
  if (json) writeJson({ paired: profile.name, version: list.version });
  else write(`paired with ${oneLine(profile.name)}; device list ${list.version} has this device\n`);
  return 0;
}

export interface AddOptions extends Shown {
  readonly role: Device["role"];
  readonly name?: string;
  /** As the new device shows them, where nobody is there to be asked. */
  readonly words?: string;
}

/** On the admin's device: compares, then signs the next list. */
export async function add(
  home: Home,
  { profile, device }: Peer,
  directory: Directory,
  code: string | undefined,
  options: AddOptions,
): Promise<number> {
  const held = home.invitation(profile.name);
  const answered = code ?? (await askPerson("the code that the new device shows:"));
  if (held) home.saveInvitation(profile.name, afterTry(held));
  const { request, words } = await takeRequest(held, answered, Date.now());
  const { signingKey, tunnelKey } = request;
  const added = { signingKey, tunnelKey, name: options.name ?? request.name, role: options.role };
  const current = await directory.current();
  assertNameIsFree(current, added.name);
  if (!options.json) write(`${oneLine(added.name)}, ${added.role}\n\n${wordLine(words)}\n\n`);
  if (!(await areTheSame(words, options.words))) {
    home.saveInvitation(profile.name, spent(held!));
    throw wordsDiffer();
  }
  await directory.submit(signAddedDevice(device, current, added, Date.now()));
  home.saveInvitation(profile.name, spent(held!));
  if (options.json) writeJson({ added: described(added), words });
  else write(`added ${oneLine(added.name)}\n`);
  return 0;
}

async function areTheSame(words: readonly string[], typed: string | undefined): Promise<boolean> {
  if (typed !== undefined)
    return typed.trim().toLowerCase().split(/\s+/).join(" ") === words.join(" ");
  return saysYes("does the new device show the same six words?");
}

function wordLine(words: readonly string[]): string {
  return `    ${words.join("  ")}`;
}

function wordsDiffer(): ClientError {
  return new ClientError(
    "ERR_PAIRING_WORDS",
    "the words are not the same: a key was changed on its way, and nothing was signed",
  );
}

/** @throws {@link UsageError} */
export function roleOf(role: string | undefined): Device["role"] {
  if (role === "admin" || role === "chat") return role;
  throw new UsageError("a role is admin or chat");
}
