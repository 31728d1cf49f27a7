/**
 * The commands about keys: who may sign.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import {
  LICENCE_KEYS_NAME,
  parseLicenceKeys,
  type ReleaseKind,
  TRUSTED_ROOT_NAME,
} from "@phantoma/release";
import { Ceremony } from "./ceremony.ts";
import { draftFirstRoot, draftKeyChange } from "./change-keys.ts";
import { type CeremonyCommand, sayQuorums } from "./command.ts";
import { need, numberOf, rolesOf, UsageError } from "./options.ts";
import { askPassphrase } from "./passphrase.ts";
import { addOther } from "./propose.ts";
import { createKeyFile, createTokenFile, type PublicKey, readPublicKey } from "./signing-key.ts";

export const keygen: CeremonyCommand = {
  usage: "keygen --person NAME --out FILE.key [--module LIBRARY --token LABEL --id HEX]",
  summary:
    "makes a key under a passphrase, on the machine where it stays, or takes the one that a token has; FILE.key.pub is for the others",
  async run({ values, say }) {
    const [person, out] = [need(values, "person"), need(values, "out")];
    if (values.module !== undefined) {
      const place = { module: values.module, token: need(values, "token"), id: need(values, "id") };
      sayKey(createTokenFile(out, person, place), out, say);
      return;
    }
    const passphrase = await askPassphrase("a passphrase of four random words or more");
    if (passphrase !== (await askPassphrase("the same again")))
      throw new Error("the two are not the same");
    sayKey(createKeyFile(out, person, passphrase), out, say);
  },
};

function sayKey({ person, keyid }: PublicKey, out: string, say: (text: string) => void): void {
  say(
    `${person} holds ${keyid.slice(0, 16)}; give ${out}.pub to the others, and read them these letters`,
  );
}

export const init: CeremonyCommand = {
  usage:
    "init DIR --kind production|development --root A.pub ... --targets A.pub ... --snapshot S.pub --timestamp T.pub --trusted-root FILE --issuer URL --repository URL --workflow PATH",
  summary: "drafts the first roster: root 3 of 5 people or more, targets 2 of 4 or more",
  async run({ values, dir, say }) {
    const kind = need(values, "kind");
    if (kind !== "production" && kind !== "development")
      throw new UsageError("--kind is production or development");
    const ceremony = new Ceremony(dir);
    const [issuer, repository, workflow] = [
      need(values, "issuer"),
      need(values, "repository"),
      need(values, "workflow"),
    ];
    ceremony.begin({ issuer, repository, workflow });
    const roster = {
      root: {
        keys: need(values, "root").map(readPublicKey),
        threshold: numberOf(values, "root-threshold", 3),
      },
      targets: {
        keys: need(values, "targets").map(readPublicKey),
        threshold: numberOf(values, "targets-threshold", 2),
      },
      snapshot: { keys: [readPublicKey(need(values, "snapshot"))], threshold: 1 },
      timestamp: { keys: [readPublicKey(need(values, "timestamp"))], threshold: 1 },
    };
    draftFirstRoot(ceremony, kind satisfies ReleaseKind, roster, Date.now());
    await addOther(ceremony, need(values, "trusted-root"), TRUSTED_ROOT_NAME, Date.now());
    sayQuorums(ceremony, say);
  },
};

export const licences: CeremonyCommand = {
  usage: "licences DIR FILE.json",
  summary:
    'drafts who may sign licences, as {"keys": [HEX, …]}: a control plane says its key at its start',
  async run({ dir, files: [path], say }) {
    if (path === undefined) throw new UsageError("name the file with the keys");
    parseLicenceKeys(readFileSync(path));
    const ceremony = new Ceremony(dir);
    await addOther(ceremony, path, LICENCE_KEYS_NAME, Date.now());
    sayQuorums(ceremony, say);
  },
};

export const rotate: CeremonyCommand = {
  usage:
    "rotate DIR [--add A.pub --roles root,targets] [--remove PERSON ...] [--root-threshold N] [--targets-threshold N]",
  summary: "drafts the next roster; it needs a quorum of the old and of the new one",
  async run({ values, dir, say }) {
    const add =
      values.add === undefined
        ? []
        : [{ key: readPublicKey(values.add), roles: rolesOf(need(values, "roles")) }];
    const thresholds = {
      ...(values["root-threshold"] ? { root: numberOf(values, "root-threshold", 3) } : {}),
      ...(values["targets-threshold"] ? { targets: numberOf(values, "targets-threshold", 2) } : {}),
    };
    draftKeyChange(new Ceremony(dir), { remove: values.remove ?? [], add, thresholds }, Date.now());
    sayQuorums(new Ceremony(dir), say);
  },
};

export const revoke: CeremonyCommand = {
  usage: "revoke DIR --person NAME --replace B.pub [--roles root,targets]",
  summary: "takes every key from a person, and gives their place to another",
  async run({ values, dir, say }) {
    const key = readPublicKey(need(values, "replace"));
    const add = [{ key, roles: rolesOf(values.roles ?? "root,targets") }];
    draftKeyChange(new Ceremony(dir), { remove: [need(values, "person")], add }, Date.now());
    sayQuorums(new Ceremony(dir), say);
  },
};
