/**
 * Commands as root, whoever signed in. Whether a user may become root is found out by trying, never by groups.
 *
 *   root       signed in as root
 *   sudo       sudo asks for nothing
 *   password   sudo asks for the user's password; it goes to sudo's standard input and nowhere else
 *
 * @module
 */
import type { Secret } from "@phantoma/crypto";
import { ProvisionError, type ProvisionErrorCode } from "../provision-error.ts";
import type { Ended, RunOptions, SshConnection } from "./connection.ts";

export type Privilege = "root" | "sudo" | "password";

/** Whatever the login shell is: sudo's words are matched in English. */
const SUDO = "env LC_ALL=C sudo";

/** Bytes of sudo's answer that are looked at. */
const MAX_ANSWER_BYTES = 16_384;

export class RootShell {
  readonly privilege: Privilege;
  readonly #connection: SshConnection;
  readonly #password: Secret | undefined;

  /**
   * @param password the user's, should sudo want it
   * @throws {@link ProvisionError} `ERR_SUDO_NONE`, `ERR_SUDO_NOT_ALLOWED`, `ERR_SUDO_PASSWORD_WANTED`,
   * `ERR_SUDO_PASSWORD` or `ERR_SUDO_POLICY`
   */
  static async find(connection: SshConnection, password?: Secret): Promise<RootShell> {
    const bounds = { maxOutputBytes: MAX_ANSWER_BYTES };
    const who = await connection.run("id -u", bounds);
    if (who.code === 0 && who.stdout.toString("latin1").trim() === "0")
      return new RootShell(connection, "root", undefined);
    // As every script of ours: sudo may allow a program, and no shell.
    const silent = await connection.run(`${SUDO} -n -- /bin/sh -c 'id -u'`, bounds);
    if (isRoot(silent)) return new RootShell(connection, "sudo", undefined);
    const why = refusalOf(silent);
    if (why !== "ERR_SUDO_PASSWORD_WANTED" || !password) throw new ProvisionError(why);
    const shell = new RootShell(connection, "password", password);
    const asked = await shell.run("id -u", bounds);
    if (isRoot(asked)) return shell;
    const refusal = refusalOf(asked);
    throw new ProvisionError(
      refusal === "ERR_SUDO_PASSWORD_WANTED" ? "ERR_SUDO_PASSWORD" : refusal,
    );
  }

  private constructor(connection: SshConnection, privilege: Privilege, password?: Secret) {
    this.#connection = connection;
    this.privilege = privilege;
    this.#password = password;
  }

  close(): void {
    this.#connection.close();
  }

  /** Runs a script of ours by the server's `sh`. It holds no secret: those are input. */
  async run(script: string, options: RunOptions = {}): Promise<Ended> {
    const command = `/bin/sh -c ${quoted(script)}`;
    switch (this.privilege) {
      case "root":
        return this.#connection.run(command, options);
      case "sudo":
        return this.#connection.run(`${SUDO} -n -- ${command}`, options);
      case "password":
        // -k: a password that sudo remembers would make it leave this one for the script to read.
        return this.#connection.run(`${SUDO} -k -S -p '' -- ${command}`, {
          ...options,
          input: afterPassword(this.#password!, options.input ?? []),
        });
    }
  }
}

/** sudo reads a line byte by byte, and leaves what follows to the command. */
async function* afterPassword(
  password: Secret,
  input: NonNullable<RunOptions["input"]>,
): AsyncGenerator<Uint8Array> {
  const line = Buffer.alloc(password.expose().length + 1, "\n");
  password.expose().copy(line);
  yield line;
  line.fill(0);
  yield* input;
}

function isRoot({ code, stdout }: Ended): boolean {
  return code === 0 && stdout.toString("latin1").trim() === "0";
}

function refusalOf({ code, stderr }: Ended): ProvisionErrorCode {
  const untrusted = stderr.toString("latin1");
  if (code === 127) return "ERR_SUDO_NONE";
  if (/must have a tty|no tty present and no askpass/.test(untrusted)) return "ERR_SUDO_POLICY";
  if (/incorrect password|Sorry, try again|no password was provided/.test(untrusted))
    return "ERR_SUDO_PASSWORD";
  if (/a password is required/.test(untrusted)) return "ERR_SUDO_PASSWORD_WANTED";
  return "ERR_SUDO_NOT_ALLOWED";
}

/** One word for any shell of Bourne's kind. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
