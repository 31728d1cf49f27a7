/**
 * How a person shows a server who they are, and in which order it is tried: each way once, so that a server which
 * counts failures does not lock anybody out.
 *
 * @module
 */
import type { Secret } from "@phantoma/crypto";
import ssh2, { type AnyAuthMethod, type AuthenticationType, type ParsedKey } from "ssh2";
import { ProvisionError } from "../provision-error.ts";

export type SignIn =
  | { readonly kind: "password"; readonly password: Secret }
  | { readonly kind: "key"; readonly key: Secret; readonly passphrase?: Secret }
  /** `socketPath`: where the agent of this machine listens. */
  | { readonly kind: "agent"; readonly socketPath: string };

/** What a server asks a person, a second factor say. Its words: untrusted, bounded, for show only. */
export interface Question {
  readonly text: string;
  readonly isShown: boolean;
}
export type Answer = (questions: readonly Question[]) => Promise<readonly Secret[]>;

/** A server that asks more than this at once is not answered. */
export const MAX_QUESTIONS = 4;
/** Characters; a question is a line. */
export const MAX_QUESTION_LENGTH = 256;
/** 64 KiB: a private key of RSA with 16384 bits has 13. */
export const MAX_PRIVATE_KEY_BYTES = 65_536;

/**
 * @throws {@link ProvisionError} `ERR_KEY_FORMAT`, `ERR_KEY_PASSPHRASE_WANTED` or `ERR_KEY_PASSPHRASE`
 */
export function openPrivateKey(key: Secret, passphrase: Secret | undefined): ParsedKey {
  if (key.expose().length > MAX_PRIVATE_KEY_BYTES) throw new ProvisionError("ERR_KEY_FORMAT");
  const opened = ssh2.utils.parseKey(key.expose(), passphrase?.expose());
  if (opened instanceof Error) throw new ProvisionError(reasonOf(opened.message));
  // A file may hold several; a public key parses as well.
  const first = Array.isArray(opened) ? opened[0] : opened;
  if (!first?.isPrivateKey()) throw new ProvisionError("ERR_KEY_FORMAT");
  return first;
}

function reasonOf(message: string) {
  if (message.includes("no passphrase given")) return "ERR_KEY_PASSPHRASE_WANTED";
  return /passphrase/i.test(message) ? "ERR_KEY_PASSPHRASE" : "ERR_KEY_FORMAT";
}

/** Chooses the next way, and knows afterwards why there was none. */
export class Attempts {
  readonly #user: string;
  readonly #signIn: SignIn;
  readonly #key: ParsedKey | undefined;
  readonly #answer: Answer | undefined;
  readonly #tried = new Set<AuthenticationType>();
  #wasPasswordUsed = false;
  /** Why a question of the server's was not answered. */
  #unanswered: ProvisionError | undefined;
  #refusal: ProvisionError = new ProvisionError("ERR_SSH_METHOD");

  /** @throws {@link ProvisionError} where the key cannot be opened */
  constructor(user: string, signIn: SignIn, answer: Answer | undefined) {
    this.#user = user;
    this.#signIn = signIn;
    this.#answer = answer;
    if (signIn.kind === "key") this.#key = openPrivateKey(signIn.key, signIn.passphrase);
  }

  get refusal(): ProvisionError {
    return this.#unanswered ?? this.#refusal;
  }

  /** @param left what the server would still take; `null` before it was asked */
  next(left: readonly string[] | null, isPartlyIn: boolean): AnyAuthMethod | false {
    const username = this.#user;
    // The only way to learn which there are; no server counts it as a failure.
    if (left === null) return { type: "none", username };
    if (this.#tried.size > 0)
      this.#refusal = new ProvisionError(isPartlyIn ? "ERR_SSH_MORE_PROOF" : "ERR_SSH_SIGN_IN");
    const way = this.#ways(isPartlyIn).find(
      ({ type }) => !this.#tried.has(type) && left.includes(type === "agent" ? "publickey" : type),
    );
    if (!way) return false;
    this.#tried.add(way.type);
    return way;
  }

  #ways(isPartlyIn: boolean): AnyAuthMethod[] {
    const username = this.#user;
    const asked: AnyAuthMethod = {
      type: "keyboard-interactive",
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        this.#reply(prompts).then(
          (answers) => finish([...answers]),
          (error: unknown) => {
            if (error instanceof ProvisionError) this.#unanswered = error;
            finish([]);
          },
        );
      },
    };
    const others = this.#answer ? [asked] : [];
    switch (this.#signIn.kind) {
      case "key":
        return [{ type: "publickey", username, key: this.#key! }, ...others];
      case "agent":
        return [{ type: "agent", username, agent: this.#signIn.socketPath }, ...others];
      case "password":
        // Many servers take passwords in the second way only; one that was refused is not shown again.
        if (this.#tried.has("password")) return isPartlyIn ? others : [];
        return [{ type: "password", username, password: text(this.#signIn.password) }, asked];
    }
  }

  async #reply(
    prompts: readonly { readonly prompt: string; readonly echo?: boolean }[],
  ): Promise<readonly string[]> {
    if (prompts.length > MAX_QUESTIONS) throw new ProvisionError("ERR_SSH_MORE_PROOF");
    if (prompts.length === 0) return [];
    const [only, ...more] = prompts;
    const isPassword = only !== undefined && more.length === 0 && only.echo !== true;
    if (this.#signIn.kind === "password" && isPassword && !this.#wasPasswordUsed) {
      this.#wasPasswordUsed = true;
      return [text(this.#signIn.password)];
    }
    if (!this.#answer) throw new ProvisionError("ERR_SSH_MORE_PROOF");
    const questions = prompts.map(({ prompt, echo }) => ({
      text: prompt.slice(0, MAX_QUESTION_LENGTH),
      isShown: echo === true,
    }));
    const answers = await this.#answer(questions);
    const texts = answers.map(text);
    for (const answer of answers) answer.erase();
    return texts;
  }
}

/** The library takes passwords as text, which nobody can erase: it is made at the last moment and kept nowhere. */
function text(secret: Secret): string {
  return secret.expose().toString("utf8");
}
