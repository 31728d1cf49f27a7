/**
 * The way to a root shell of one server, open again after every cut: what a person says is asked for when it is wanted,
 * once, and held until it is erased.
 *
 * @module
 */
import type { Secret } from "@phantoma/crypto";
import { ProvisionError } from "./provision-error.ts";
import type { Target } from "./ssh/address.ts";
import { SshConnection } from "./ssh/connection.ts";
import type { HostKey } from "./ssh/host-key.ts";
import { RootShell } from "./ssh/root-shell.ts";
import { openPrivateKey, type Question, type SignIn } from "./ssh/sign-in.ts";

/** How a person wants to sign in. */
export type Way =
  | { readonly kind: "password" }
  | { readonly kind: "key"; readonly key: Secret }
  | { readonly kind: "agent"; readonly socketPath: string };

/** What only a person can say. A question is the server's own: its words are untrusted, and for show only. */
export type Wish =
  | { readonly kind: "password" | "sudo"; readonly user: string }
  | { readonly kind: "passphrase" }
  | ({ readonly kind: "question" } & Question);

/** An answer for each, in their order; it belongs to whoever asked. */
export type Ask = (wishes: readonly Wish[]) => Promise<readonly Secret[]>;

export interface AccessOptions {
  readonly target: Target;
  /** The one that a person confirmed. */
  readonly hostKey: HostKey;
  readonly way: Way;
  readonly ask: Ask;
  /** Without a person a server's own questions are not answered. */
  readonly isAttended: boolean;
}

export class Access {
  readonly #options: AccessOptions;
  readonly #secrets: Secret[] = [];
  #signIn: SignIn | undefined;
  #sudoPassword: Secret | undefined;

  constructor(options: AccessOptions) {
    this.#options = options;
    if (options.way.kind === "key") this.#secrets.push(options.way.key);
  }

  /** @throws {@link ProvisionError} */
  readonly connect = async (): Promise<RootShell> => {
    const { target, hostKey, ask, isAttended } = this.#options;
    const signIn = (this.#signIn ??= await this.#begin());
    const answer = (questions: readonly Question[]) =>
      ask(questions.map((question) => ({ kind: "question", ...question })));
    const connection = await SshConnection.open({
      target,
      hostKey,
      signIn,
      ...(isAttended && { answer }),
    });
    try {
      return await RootShell.find(connection, this.#sudoPassword);
    } catch (error) {
      connection.close();
      if (!(error instanceof ProvisionError) || error.code !== "ERR_SUDO_PASSWORD_WANTED")
        throw error;
      this.#sudoPassword = await this.#askOne({ kind: "sudo", user: target.user });
      return this.connect();
    }
  };

  /** Forgets passwords and keys. */
  erase(): void {
    for (const secret of this.#secrets) secret.erase();
  }

  async #begin(): Promise<SignIn> {
    const { way, target } = this.#options;
    switch (way.kind) {
      case "agent":
        return way;
      case "password":
        this.#sudoPassword = await this.#askOne({ kind: "password", user: target.user });
        return { kind: "password", password: this.#sudoPassword };
      case "key":
        try {
          openPrivateKey(way.key, undefined);
          return way;
        } catch (error) {
          if (!(error instanceof ProvisionError) || error.code !== "ERR_KEY_PASSPHRASE_WANTED")
            throw error;
          const passphrase = await this.#askOne({ kind: "passphrase" });
          openPrivateKey(way.key, passphrase);
          return { ...way, passphrase };
        }
    }
  }

  async #askOne(wish: Wish): Promise<Secret> {
    const [secret] = await this.#options.ask([wish]);
    this.#secrets.push(secret!);
    return secret!;
  }
}
