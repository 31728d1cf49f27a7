/**
 * Which server, by which key, as whom: everything that stands before a root shell.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { Secret } from "@phantoma/crypto";
import {
  addressName,
  openPrivateKey,
  parseFingerprint,
  parseTarget,
  ProvisionError,
  RootShell,
  SshConnection,
  type HostKey,
  type SignIn,
  type Target,
} from "@phantoma/provision";
import type { Home } from "../home.ts";
import { notice, oneLine, UsageError } from "../output.ts";
import { askLine, askSecret } from "./secret-prompt.ts";

export interface SignInValues {
  readonly key?: string | undefined;
  readonly agent: boolean;
  readonly "host-key"?: string | undefined;
  /** The server was installed anew, and its owner knows. */
  readonly "forget-host-key": boolean;
}

/** One who is signed in, and can do it again after a cut. */
export interface SignedIn {
  readonly target: Target;
  readonly connect: () => Promise<RootShell>;
  /** Forgets passwords and keys. */
  erase(): void;
}

export async function signIn(home: Home, address: string, values: SignInValues): Promise<SignedIn> {
  const target = parseTarget(address);
  if (values["forget-host-key"]) home.forgetHostKey(addressName(target));
  const hostKey = await confirmHostKey(home, target, values["host-key"]);
  const secrets: Secret[] = [];
  const remember = (secret: Secret): Secret => (secrets.push(secret), secret);
  const way = await chooseWay(target, values, remember);
  let sudoPassword = way.kind === "password" ? way.password : undefined;
  const connect = async (): Promise<RootShell> => {
    const options = {
      target,
      hostKey,
      signIn: way,
      answer: (questions: readonly { text: string; isShown: boolean }[]) =>
        inTurn(questions, ({ text }) => askSecret(oneLine(text).trim())),
    };
    // Questions of the server are for a person; without one they are not answered.
    const { answer, ...alone } = options;
    const connection = await SshConnection.open(process.stdin.isTTY ? { ...alone, answer } : alone);
    try {
      return await RootShell.find(connection, sudoPassword);
    } catch (error) {
      connection.close();
      if (!(error instanceof ProvisionError) || error.code !== "ERR_SUDO_PASSWORD_WANTED")
        throw error;
      sudoPassword = remember(await askSecret(`the password of ${target.user}, for sudo`));
      return connect();
    }
  };
  return { target, connect, erase: () => secrets.forEach((secret) => secret.erase()) };
}

async function chooseWay(
  { user }: Target,
  { key, agent }: SignInValues,
  remember: (secret: Secret) => Secret,
): Promise<SignIn> {
  if (key !== undefined && agent) throw new UsageError("either --key or --agent");
  if (agent) {
    const socketPath = process.env.SSH_AUTH_SOCK;
    if (!socketPath) throw new ProvisionError("ERR_SSH_AGENT");
    return { kind: "agent", socketPath };
  }
  if (key === undefined)
    return { kind: "password", password: remember(await askSecret(`the password of ${user}`)) };
  const file = remember(new Secret(readKeyFile(key)));
  try {
    openPrivateKey(file, undefined);
    return { kind: "key", key: file };
  } catch (error) {
    if (!(error instanceof ProvisionError) || error.code !== "ERR_KEY_PASSPHRASE_WANTED")
      throw error;
    return {
      kind: "key",
      key: file,
      passphrase: remember(await askSecret("the key's passphrase")),
    };
  }
}

function readKeyFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ProvisionError("ERR_KEY_FORMAT", { about: "it cannot be read", cause });
  }
}

/**
 * The key that was confirmed for this server, now or before. A key is never taken because nobody said no.
 *
 * @throws ProvisionError `ERR_HOST_KEY_UNKNOWN`, `ERR_HOST_KEY_CHANGED`
 */
async function confirmHostKey(
  home: Home,
  target: Target,
  given: string | undefined,
): Promise<HostKey> {
  const name = addressName(target);
  const known = home.hostKey(name);
  // A change is found out when signing in, before anything is sent.
  if (known && given !== undefined && parseFingerprint(given) !== known.sha256)
    throw new ProvisionError("ERR_HOST_KEY_CHANGED", { about: "another one was confirmed before" });
  if (known) return known;
  const shown = await SshConnection.readHostKey(target);
  notice(`${name} shows this host key:\n\n  ${shown.algorithm}  ${shown.sha256}\n\n${WHERE}`);
  const answer =
    given ?? (await askLine("Paste the fingerprint from there, or type yes if you compared it: "));
  if (answer === undefined)
    throw new ProvisionError("ERR_HOST_KEY_UNKNOWN", { about: shown.sha256 });
  const isSame =
    answer.toLowerCase() === "yes"
      ? given === undefined
      : parseFingerprint(answer) === shown.sha256;
  if (!isSame) throw new ProvisionError("ERR_HOST_KEY_CHANGED", { about: shown.sha256 });
  home.saveHostKey(name, shown);
  return shown;
}

const WHERE = `Your provider shows it in the server's console (the screen in your browser, after "SSH HOST KEY
FINGERPRINTS"), or there by: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`;

async function inTurn<A, B>(items: readonly A[], ask: (item: A) => Promise<B>): Promise<B[]> {
  const answers: B[] = [];
  for (const item of items) answers.push(await ask(item));
  return answers;
}
