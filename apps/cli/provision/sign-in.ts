/**
 * Which server, by which key, as whom: everything that stands before a root shell, as a terminal asks for it.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { Secret } from "@phantoma/crypto";
import {
  Access,
  addressName,
  KnownHosts,
  parseFingerprint,
  parseTarget,
  ProvisionError,
  SshConnection,
  type HostKey,
  type RootShell,
  type Target,
  type Way,
  type Wish,
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
  const hosts = new KnownHosts(home.hostsPath);
  if (values["forget-host-key"]) hosts.forget(target);
  const hostKey = await confirmHostKey(hosts, target, values["host-key"]);
  const ask = (wishes: readonly Wish[]) => inTurn(wishes, (wish) => askSecret(wordsOf(wish)));
  // Questions of the server are for a person; without one they are not answered.
  const isAttended = process.stdin.isTTY;
  const access = new Access({ target, hostKey, way: chooseWay(values), ask, isAttended });
  return { target, connect: access.connect, erase: () => access.erase() };
}

function chooseWay({ key, agent }: SignInValues): Way {
  if (key !== undefined && agent) throw new UsageError("either --key or --agent");
  if (key !== undefined) return { kind: "key", key: new Secret(readKeyFile(key)) };
  if (!agent) return { kind: "password" };
  const socketPath = process.env.SSH_AUTH_SOCK;
  if (!socketPath) throw new ProvisionError("ERR_SSH_AGENT");
  return { kind: "agent", socketPath };
}

function readKeyFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ProvisionError("ERR_KEY_FORMAT", { about: "it cannot be read", cause });
  }
}

function wordsOf(wish: Wish): string {
  switch (wish.kind) {
    case "password":
      return `the password of ${wish.user}`;
    case "sudo":
      return `the password of ${wish.user}, for sudo`;
    case "passphrase":
      return "the key's passphrase";
    case "question":
      return oneLine(wish.text).trim();
  }
}

/**
 * The key that was confirmed for this server, now or before. A key is never taken because nobody said no.
 *
 * @throws ProvisionError `ERR_HOST_KEY_UNKNOWN`, `ERR_HOST_KEY_CHANGED`
 */
async function confirmHostKey(
  hosts: KnownHosts,
  target: Target,
  given: string | undefined,
): Promise<HostKey> {
  const known = hosts.get(target);
  // A change is found out when signing in, before anything is sent.
  if (known && given !== undefined && parseFingerprint(given) !== known.sha256)
    throw new ProvisionError("ERR_HOST_KEY_CHANGED", { about: "another one was confirmed before" });
  if (known) return known;
  const shown = await SshConnection.readHostKey(target);
  const name = addressName(target);
  notice(`${name} shows this host key:\n\n  ${shown.algorithm}  ${shown.sha256}\n\n${WHERE}`);
  const answer =
    given ?? (await askLine("Paste the fingerprint from there, or type yes if you compared it: "));
  if (answer === undefined)
    throw new ProvisionError("ERR_HOST_KEY_UNKNOWN", { about: shown.sha256 });
  const wasCompared = given === undefined && answer.toLowerCase() === "yes";
  hosts.confirm(target, shown, wasCompared ? undefined : answer);
  return shown;
}

const WHERE = `Your provider shows it in the server's console (the screen in your browser, after "SSH HOST KEY
FINGERPRINTS"), or there by: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`;

async function inTurn<A, B>(items: readonly A[], ask: (item: A) => Promise<B>): Promise<B[]> {
  const answers: B[] = [];
  for (const item of items) answers.push(await ask(item));
  return answers;
}
