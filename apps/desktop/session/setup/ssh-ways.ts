/**
 * What this machine has to sign in to a server with: private keys where OpenSSH keeps them, and an agent.
 *
 * @module
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Secret } from "@phantoma/crypto";
import { MAX_PRIVATE_KEY_BYTES, ProvisionError, type Way } from "@phantoma/provision";
import type { Setup, SetupSignIn } from "../../ipc/setup.ts";

/** More than anybody chooses from. */
const MAX_KEYS = 50;
/** Bytes in which a private key says that it is one. */
const HEAD_BYTES = 64;

export function findWays(): Setup["ways"] {
  return { keys: keyNames(), hasAgent: Boolean(process.env.SSH_AUTH_SOCK) };
}

/** What was typed goes into buffers at once; the text itself nobody can erase. */
export function wayOf(input: SetupSignIn): {
  way: Way;
  given: Partial<Record<"password" | "passphrase", Secret>>;
} {
  const secret = (text: string) => new Secret(Buffer.from(text, "utf8"));
  switch (input.kind) {
    case "password":
      return { way: { kind: "password" }, given: { password: secret(input.password) } };
    case "agent":
      return { way: { kind: "agent", socketPath: agentSocket() }, given: {} };
    case "key":
    case "key-file": {
      const key =
        input.kind === "key" ? readKey(input.name) : new Secret(Buffer.from(input.key, "base64"));
      const { passphrase } = input;
      return {
        way: { kind: "key", key },
        given: passphrase === "" ? {} : { passphrase: secret(passphrase) },
      };
    }
  }
}

/** @throws ProvisionError `ERR_SSH_AGENT` */
function agentSocket(): string {
  const path = process.env.SSH_AUTH_SOCK;
  if (!path) throw new ProvisionError("ERR_SSH_AGENT");
  return path;
}

/**
 * Only what {@link findWays} lists: a page names no other file.
 *
 * @throws ProvisionError `ERR_KEY_FORMAT`
 */
function readKey(name: string): Secret {
  if (!keyNames().includes(name))
    throw new ProvisionError("ERR_KEY_FORMAT", { about: "not found" });
  return new Secret(readFileSync(join(sshDir(), name)));
}

/** At each look: a person may have made one meanwhile. */
function keyNames(): string[] {
  const dir = sshDir();
  try {
    return readdirSync(dir)
      .filter((name) => isPrivateKey(join(dir, name)))
      .toSorted()
      .slice(0, MAX_KEYS);
  } catch {
    return [];
  }
}

function isPrivateKey(path: string): boolean {
  try {
    const { size } = statSync(path);
    if (size === 0 || size > MAX_PRIVATE_KEY_BYTES) return false;
    const head = Buffer.alloc(HEAD_BYTES);
    const file = openSync(path, "r");
    readSync(file, head);
    closeSync(file);
    const isOne = /^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(head.toString("latin1"));
    head.fill(0);
    return isOne;
  } catch {
    return false;
  }
}

function sshDir(): string {
  return join(homedir(), ".ssh");
}
