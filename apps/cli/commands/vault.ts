/**
 * phantoma vault: conversations that a person chose to save, sealed on this machine and, if chosen, at a node.
 *
 * @module
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { text as readAll } from "node:stream/consumers";
import { deviceFingerprint, joinVault, leaveVault, originOf, syncVault } from "@phantoma/client";
import type { Device, DeviceIdentity } from "@phantoma/crypto";
import {
  fromJson,
  mergeConversations,
  openBackup,
  parseConversation,
  sealBackup,
  toJson,
  toMarkdown,
  VaultError,
  type LocalVault,
  type SavedConversation,
  type SavedSummary,
} from "@phantoma/vault";
import type { Command } from "../command.ts";
import { chooseActive, Directory } from "../devices/directory.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { notice, oneLine, timeText, UsageError, write, writeJson } from "../output.ts";
import { askNewPassphrase } from "../provision/new-passphrase.ts";
import { askLine, askSecret } from "../provision/secret-prompt.ts";
import { withControl } from "../session.ts";
import { conversationOf, deletedWords, findSaved, namedId, withVault } from "../vault-store.ts";

const options = {
  ...commonOptions,
  title: { type: "string" },
  format: { type: "string", default: "json" },
  fingerprint: { type: "string" },
} as const;

export const vault: Command = {
  usage:
    "vault [status | list | show ID | search WORDS | save [--title TEXT] | export FILE [ID] [--format json|markdown] | import FILE | backup FILE | restore FILE | delete ID | sync | join DEVICE | admit DEVICE [--fingerprint DIGITS] | leave]",
  summary:
    "saved conversations, sealed here, and at a node where you want it; sync also keeps them, sealed, at a node, for your devices that were admitted",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const home = new Home(values.home);
    const [action = "status", ...rest] = positionals;
    const out = (value: object, words: string) => {
      if (values.json) writeJson(value);
      else write(`${words}\n`);
      return 0;
    };
    if (["sync", "join", "admit", "leave"].includes(action))
      return withVault(home, (saved) => atNode(home, saved, action, rest[0], values));
    return withVault(home, async (saved) => {
      switch (action) {
        case "status":
          return status(saved, home.device(), out);
        case "list":
          return show(saved.list(), values.json);
        case "search":
          return show(saved.search(rest.join(" ")), values.json);
        case "show": {
          const found = findSaved(saved, rest[0]);
          return out(found, toMarkdown(found));
        }
        case "save": {
          const made = await fromInput(values.title);
          saved.save(made);
          return out({ saved: made.id }, `saved as ${made.id}`);
        }
        case "export": {
          const some = rest[1] === undefined ? all(saved) : [findSaved(saved, rest[1])];
          writePrivate(fileNamed(rest), exported(some, values.format));
          return out({ exported: some.length }, `exported ${some.length}; the file is not sealed`);
        }
        case "import": {
          const count = take(saved, fromJson(readFileSync(fileNamed(rest), "utf8")));
          return out({ imported: count }, `imported ${count}`);
        }
        case "backup": {
          const passphrase = await askNewPassphrase("a passphrase for the backup");
          writePrivate(fileNamed(rest), sealBackup(passphrase.expose(), all(saved)));
          passphrase.erase();
          return out({ backedUp: saved.size }, `${saved.size} in the backup`);
        }
        case "restore": {
          const passphrase = await askSecret("the passphrase of the backup");
          const file = readFileSync(fileNamed(rest));
          const count = take(saved, openBackup(passphrase.expose(), file));
          passphrase.erase();
          return out({ restored: count }, `restored ${count}`);
        }
        case "delete": {
          const id = namedId(saved, rest[0]);
          saved.delete(id);
          return out({ deleted: id }, deletedWords);
        }
        default:
          throw new UsageError(`vault cannot ${JSON.stringify(action)}`);
      }
    });
  },
};

async function atNode(
  home: Home,
  local: LocalVault,
  action: string,
  subject: string | undefined,
  values: { readonly node?: string; readonly json: boolean; readonly fingerprint?: string },
): Promise<number> {
  const peer = home.peer(values.node);
  const { device } = peer;
  const devices = await new Directory(home, peer).current();
  const node = new Uint8Array(Buffer.from(originOf(peer.profile), "hex"));
  // Before a session is open: a person who compares takes longer than a node waits.
  const named = ["join", "admit"].includes(action)
    ? await confirmed(chooseActive(devices, subject), values.fingerprint)
    : undefined;
  const tell = (words: string) => {
    if (values.json) writeJson({ done: action });
    else write(`${words}\n`);
    return 0;
  };
  return withControl(peer, async (session) => {
    const all = { link: session.vault, local, device, node, devices };
    switch (action) {
      case "join": {
        await joinVault(all, named!.signingKey);
        return tell(`on ${oneLine(named!.name)} run: phantoma vault admit; then sync here`);
      }
      case "leave":
        await leaveVault(all);
        return tell(
          "left; the node's copy is gone unless other devices share it; what is saved here stays",
        );
      default: {
        const result = await syncVault(named ? { ...all, admit: named.signingKey } : all);
        if (values.json) writeJson(result);
        else {
          const { taken, merged, given, hasTurned, usedBytes, maxBytes } = result;
          const share = ((usedBytes / maxBytes) * 100).toFixed(1);
          write(`${taken} came, ${merged} of them joined with changes from here; ${given} sent\n`);
          if (hasTurned) write("the vault has a new key: a device came or went\n");
          write(`${share} % of the node's room for this vault is used\n`);
        }
        return 0;
      }
    }
  });
}

/**
 * A node that was taken over could list a device of its own: who reads everything that is saved is not taken from its
 * word, but compared with what the other device shows.
 */
async function confirmed(device: Device, given: string | undefined): Promise<Device> {
  const shown = deviceFingerprint(device);
  if (given === undefined) notice(`the node lists ${oneLine(device.name)} with\n  ${shown}`);
  const answer =
    given ??
    (await askLine(
      "Paste what `phantoma vault status` says of itself there, or type yes if you compared it: ",
    ));
  if (answer === undefined)
    throw new UsageError("compare it with the other device, and give it as --fingerprint");
  const digits = (text: string) => text.replace(/\D/g, "");
  const isSame = given === undefined && answer.toLowerCase() === "yes";
  if (isSame || digits(answer) === digits(shown)) return device;
  throw new VaultError("ERR_VAULT_NOT_JOINED", "this is not the device that the node lists");
}

function status(
  saved: LocalVault,
  { signing, tunnel }: DeviceIdentity,
  out: (value: object, words: string) => number,
): number {
  const list = saved.list();
  const waiting = [...saved.rows().values()].filter(({ isChanged }) => isChanged).length;
  const { state } = saved;
  const node = state?.vault != null ? state.node : null;
  const where = node === null ? "on this machine only" : `kept at node ${node.slice(0, 16)}`;
  const own = { signingKey: signing.publicKey, tunnelKey: tunnel.publicKey };
  const fingerprint = deviceFingerprint(own);
  return out(
    { saved: list.length, waiting, node, fingerprint },
    `${list.length} saved, ${where}; ${waiting} changes wait for a sync\nthis device: ${fingerprint}`,
  );
}

function show(found: readonly SavedSummary[], isJson: boolean): number {
  if (isJson) writeJson(found);
  else if (found.length === 0) notice("there is none");
  else
    for (const { id, title, changedAt, messages } of found)
      write(`${id}  ${timeText(changedAt)}  ${messages} messages  ${oneLine(title)}\n`);
  return 0;
}

function all(saved: LocalVault): SavedConversation[] {
  return saved.list().map(({ id }) => saved.get(id));
}

/** What is saved already is joined with what comes. */
function take(saved: LocalVault, conversations: readonly SavedConversation[]): number {
  saved.together(() => {
    for (const one of conversations)
      saved.save(saved.has(one.id) ? mergeConversations(saved.get(one.id), one) : one);
  });
  return conversations.length;
}

function exported(conversations: readonly SavedConversation[], format: string): string {
  if (format === "json") return toJson(conversations);
  if (format === "markdown") return conversations.map(toMarkdown).join("\n\n");
  throw new UsageError("--format is json or markdown");
}

/** Messages as a JSON list of `role` and `text`, one after the other. */
async function fromInput(title: string | undefined): Promise<SavedConversation> {
  let said: unknown;
  try {
    said = JSON.parse(await readAll(process.stdin));
  } catch {
    throw new UsageError("save reads a JSON list of messages with role and text");
  }
  if (!Array.isArray(said) || said.length === 0)
    throw new VaultError("ERR_VAULT_FILE", "no messages");
  return parseConversation(conversationOf(said, "", "conversation", title));
}

function fileNamed([file]: readonly string[]): string {
  if (file === undefined) throw new UsageError("name a file");
  return file;
}

function writePrivate(path: string, content: string | Uint8Array): void {
  // What is there may be open to others, or be read while it is written: nobody has the new one before its place.
  rmSync(`${path}.new`, { force: true });
  writeFileSync(`${path}.new`, content, { mode: 0o600, flag: "wx", flush: true });
  renameSync(`${path}.new`, path);
}
