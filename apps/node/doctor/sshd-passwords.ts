/**
 * Whether sshd lets anybody sign in with a password, by its configuration files.
 *
 * The first value of a keyword wins, in the order in which files include each other. A `Match` block is
 * for some people or addresses only: one that admits passwords counts, one that refuses them does not.
 * What cannot be read could say anything, so then nothing is known. Options of sshd's command line are
 * not looked at.
 *
 * Source: sshd_config(5).
 *
 * @module
 */
import type { Finding } from "@phantoma/protocol";
import { bad, good } from "./finding.ts";
import { Unreadable, type HostFiles } from "./host-files.ts";

const MAIN_FILE = "/etc/ssh/sshd_config";
/** Files within files; sshd itself stops there. */
export const MAX_INCLUDE_DEPTH = 16;
/** Files altogether; a machine with a drop-in per package has ten. */
export const MAX_SSHD_FILES = 64;

/** Keywords in small letters, the old name of one beside it. */
const KEYWORDS: Readonly<Record<string, Keyword>> = {
  passwordauthentication: "password",
  kbdinteractiveauthentication: "keyboard",
  challengeresponseauthentication: "keyboard",
  skeyauthentication: "keyboard",
  usepam: "pam",
};

type Keyword = "password" | "keyboard" | "pam";

/** Where nobody says otherwise. */
const DEFAULTS = { password: true, keyboard: true, pam: false } as const;

export function sshPasswords(files: HostFiles): Finding {
  const reader = new Reader(files);
  reader.read(MAIN_FILE, false, 0);
  const { password, keyboard, pam } = { ...DEFAULTS, ...Object.fromEntries(reader.everywhere) };
  if (password)
    return bad(reader.everywhere.has("password") ? "PasswordAuthentication yes" : "by default");
  if (reader.somewhere.has("password")) return bad("PasswordAuthentication yes in a Match block");
  // With PAM, an interactive sign-in asks for the password too.
  if (pam && keyboard) return bad("KbdInteractiveAuthentication with UsePAM");
  if (pam && reader.somewhere.has("keyboard"))
    return bad("KbdInteractiveAuthentication yes in a Match block");
  return good();
}

class Reader {
  /** The first value of each keyword that is for everybody. */
  readonly everywhere = new Map<Keyword, boolean>();
  /** What a `Match` block switches on for somebody. */
  readonly somewhere = new Set<Keyword>();
  readonly #files: HostFiles;
  #fileCount = 0;

  constructor(files: HostFiles) {
    this.#files = files;
  }

  /** @param isForSome included from within a `Match` block */
  read(path: string, isForSome: boolean, depth: number): void {
    if (depth > MAX_INCLUDE_DEPTH) throw new Unreadable("sshd_config includes too deeply");
    if (++this.#fileCount > MAX_SSHD_FILES) throw new Unreadable("sshd_config has too many files");
    // A block ends with the file that it is in.
    let isInMatch = isForSome;
    for (const line of this.#files.read(path).split("\n")) {
      const [keyword = "", ...values] = words(line);
      const name = keyword.toLowerCase();
      // Also `Match all`: what is in a block goes before what is for everybody.
      if (name === "match") isInMatch = true;
      else if (name === "include")
        for (const pattern of values)
          for (const included of this.#named(pattern)) this.read(included, isInMatch, depth + 1);
      else if (KEYWORDS[name]) this.#set(KEYWORDS[name], values, isInMatch);
    }
  }

  #set(keyword: Keyword, values: readonly string[], isInMatch: boolean): void {
    const value = { yes: true, no: false }[values.join(" ").toLowerCase()];
    if (value === undefined) throw new Unreadable("sshd_config was not understood");
    if (isInMatch) {
      if (value) this.somewhere.add(keyword);
    } else if (!this.everywhere.has(keyword)) this.everywhere.set(keyword, value);
  }

  /** Files of an `Include`, in sshd's order; a star is understood in the last part only. */
  #named(pattern: string): readonly string[] {
    const path = pattern.startsWith("/") ? pattern : `/etc/ssh/${pattern}`;
    const slash = path.lastIndexOf("/");
    const [dir, name] = [path.slice(0, slash) || "/", path.slice(slash + 1)];
    if (/[*?[\]~]/.test(dir) || /[[\]~]/.test(name))
      throw new Unreadable("an Include of sshd_config was not understood");
    const expression = name
      .replace(/[.+^${}()|\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    return this.#files
      .list(dir)
      .filter(
        (one) =>
          new RegExp(`^${expression}$`).test(one) &&
          !(one.startsWith(".") && !name.startsWith(".")),
      )
      .map((one) => `${dir}/${one}`);
  }
}

/** Words of a line; the keyword may be set off by `=`, a value may be quoted, `#` ends the line. */
function words(line: string): readonly string[] {
  const [, keyword, rest = ""] = /^\s*([A-Za-z]\w*)(?:\s*=\s*|\s+|$)(.*)$/.exec(line) ?? [];
  if (keyword === undefined) return [];
  const values = rest.matchAll(/"([^"]*)"|(#.*)|([^\s"#]\S*)/g);
  return [
    keyword,
    ...[...values].flatMap(([, quoted, comment, bare]) =>
      comment === undefined ? [quoted ?? bare ?? ""] : [],
    ),
  ];
}
