/**
 * The one place where SSH is spoken, over `ssh2`, whose defaults would accept any host key and SHA-1.
 *
 *   SshConnection.readHostKey(address)              what the server shows; signs in nowhere
 *   SshConnection.open({ target, hostKey, signIn }) only with the key that a person confirmed
 *   run(command)                                    one channel at a time, bounded in time and output
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import ssh2, { type Algorithms, type ClientChannel, type ConnectConfig } from "ssh2";
import { ProvisionError, type ProvisionErrorCode } from "../provision-error.ts";
import type { Address, Target } from "./address.ts";
import { errorOf } from "./failure.ts";
import { isSameKey, readHostKey, SIGNATURES, type HostKey } from "./host-key.ts";
import { Attempts, type Answer, type SignIn } from "./sign-in.ts";

export interface OpenOptions {
  readonly target: Target;
  /** The one that a person confirmed. */
  readonly hostKey: HostKey;
  readonly signIn: SignIn;
  /** Answers what the server asks beyond that; absent where nobody is there. */
  readonly answer?: Answer;
}

export interface RunOptions {
  /** Goes to the command's standard input, in this order; secrets only here. */
  readonly input?: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly timeoutMs?: number;
  readonly maxOutputBytes?: number;
}

export interface Ended {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Milliseconds until a server must have signed somebody in; PAM on a busy one takes seconds. */
const READY_MS = 30_000;
/** Milliseconds between two signs of life, and how many may be missing. */
const KEEPALIVE_MS = 10_000;
const KEEPALIVES_MISSED = 3;
/** Milliseconds; a longer command says so. */
const RUN_MS = 60_000;
/** 256 KiB: what is asked here is answered in a few. */
const MAX_OUTPUT_BYTES = 262_144;

/** Two seconds in all. */
const CHANNEL_TRIES = 20;
const CHANNEL_RETRY_MS = 100;

const ALGORITHMS = {
  // No group exchange, in which the server chooses the numbers, and nothing with SHA-1.
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
  ],
  cipher: ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr"],
  // Encrypt-then-MAC only; with GCM there is none.
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"],
  compress: ["none"],
} as const satisfies Algorithms;

export class SshConnection {
  readonly #client: ssh2.Client;
  #ended: ProvisionError | undefined;
  /** The command that runs: a server may allow one channel only. */
  #last: Promise<unknown> = Promise.resolve();

  /**
   * What a server shows as its key. Nothing is believed by that: a person compares it.
   *
   * @throws {@link ProvisionError}
   */
  static async readHostKey(address: Address): Promise<HostKey> {
    let shown: HostKey | undefined;
    const see = (key: Buffer): boolean => {
      shown = readHostKey(key);
      return false;
    };
    const client = new ssh2.Client();
    try {
      const serverHostKey = Object.values(SIGNATURES).flat();
      await ready(client, { ...configOf(address, serverHostKey, see), username: "root" });
    } catch (error) {
      if (shown === undefined) throw error;
    } finally {
      client.destroy();
    }
    return shown!;
  }

  /** @throws {@link ProvisionError} */
  static async open({ target, hostKey, signIn, answer }: OpenOptions): Promise<SshConnection> {
    const attempts = new Attempts(target.user, signIn, answer);
    let isChanged = false;
    const compare = (key: Buffer): boolean => {
      isChanged = !isSameKey(readHostKey(key), hostKey);
      return !isChanged;
    };
    // Asked for the kind that was confirmed, an honest server shows that very key again.
    const serverHostKey = SIGNATURES[hostKey.algorithm] ?? [];
    const client = new ssh2.Client();
    try {
      await ready(client, {
        ...configOf(target, serverHostKey, compare),
        username: target.user,
        // The first time the library has nothing to say, whatever its types are.
        authHandler: (left: string[] | null, isPartlyIn: boolean | null) =>
          attempts.next(left, isPartlyIn ?? false),
      });
    } catch (error) {
      client.destroy();
      if (isChanged) throw new ProvisionError("ERR_HOST_KEY_CHANGED");
      if (isCode(error, "ERR_SSH_ALGORITHMS")) throw await whyRefused(target, hostKey, error);
      if (isCode(error, "ERR_SSH_SIGN_IN")) throw attempts.refusal;
      throw error;
    }
    return new SshConnection(client);
  }

  private constructor(client: ssh2.Client) {
    this.#client = client;
    client.on("close", () => (this.#ended ??= new ProvisionError("ERR_SSH_DROPPED")));
    // What follows an error is its close.
    client.on("error", () => undefined);
  }

  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  /** @throws {@link ProvisionError} `ERR_SSH_DROPPED`, `ERR_SSH_CHANNEL`, `ERR_SSH_TIMEOUT` or `ERR_SSH_OUTPUT` */
  async run(command: string, options: RunOptions = {}): Promise<Ended> {
    const turn = this.#last.then(() => this.#run(command, options));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  close(): void {
    this.#ended ??= new ProvisionError("ERR_SSH_DROPPED");
    this.#client.end();
  }

  /** A server that allows one channel counts the last one for a moment after its end. */
  async #run(command: string, options: RunOptions): Promise<Ended> {
    for (let tries = 1; ; tries += 1)
      try {
        return await this.#runOnce(command, options);
      } catch (error) {
        if (!isCode(error, "ERR_SSH_CHANNEL") || tries === CHANNEL_TRIES) throw error;
        await sleep(CHANNEL_RETRY_MS);
      }
  }

  #runOnce(command: string, options: RunOptions): Promise<Ended> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      const lost = (): void => reject(new ProvisionError("ERR_SSH_DROPPED"));
      this.#client.once("close", lost);
      this.#client.exec(command, (error, channel) => {
        this.#client.removeListener("close", lost);
        // In this very turn: how it ended may have come together with its beginning.
        if (error) reject(new ProvisionError(this.isOpen ? "ERR_SSH_CHANNEL" : "ERR_SSH_DROPPED"));
        else collect(channel, options).then(resolve, reject);
      });
    });
  }
}

function collect(channel: ClientChannel, options: RunOptions): Promise<Ended> {
  const { timeoutMs = RUN_MS, maxOutputBytes = MAX_OUTPUT_BYTES, input = [] } = options;
  const output: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  let bytes = 0;
  return new Promise((resolve, reject) => {
    let code: number | null | undefined;
    const giveUp = (error: unknown): void => {
      clearTimeout(tooLong);
      reject(error);
      channel.destroy();
    };
    const tooLong = setTimeout(() => giveUp(new ProvisionError("ERR_SSH_TIMEOUT")), timeoutMs);
    const take = (name: "stdout" | "stderr") => (part: Buffer) => {
      bytes += part.length;
      if (bytes > maxOutputBytes) return giveUp(new ProvisionError("ERR_SSH_OUTPUT"));
      output[name].push(part);
    };
    channel.on("data", take("stdout"));
    channel.stderr.on("data", take("stderr"));
    channel.on("exit", (status: number | null) => (code = status));
    channel.on("error", () => undefined);
    channel.on("close", () => {
      clearTimeout(tooLong);
      // A channel that closes without saying how its command ended was cut off.
      if (code === undefined) return reject(new ProvisionError("ERR_SSH_DROPPED"));
      const { stdout, stderr } = output;
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) });
    });
    write(channel, input).catch(giveUp);
  });
}

/** One part at a time, and the next when it has left: whoever made it may erase it then. */
async function write(
  channel: ClientChannel,
  input: NonNullable<RunOptions["input"]>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => channel.once("close", resolve));
  for await (const part of input) {
    // A command that ended early ends this.
    if (channel.destroyed || !channel.writable) return;
    const left = new Promise<void>((resolve) => channel.write(part, () => resolve()));
    await Promise.race([left, closed]);
  }
  channel.end();
}

function configOf(
  { host, port }: Address,
  serverHostKey: readonly string[],
  hostVerifier: (key: Buffer) => boolean,
): ConnectConfig {
  return {
    host,
    port,
    hostVerifier,
    algorithms: { ...ALGORITHMS, serverHostKey } as unknown as Algorithms,
    readyTimeout: READY_MS,
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: KEEPALIVES_MISSED,
  };
}

function ready(client: ssh2.Client, config: ConnectConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once("ready", resolve);
    // More than one may come; the first says why.
    client.on("error", (error) => reject(errorOf(error)));
    client.once("close", () => reject(new ProvisionError("ERR_SSH_PROTOCOL")));
    client.connect(config);
  });
}

/** A server that has no key of the confirmed kind any more shows another one: that is a change as well. */
async function whyRefused(target: Target, hostKey: HostKey, error: unknown): Promise<unknown> {
  const shown = await SshConnection.readHostKey(target).catch(() => undefined);
  if (shown === undefined || isSameKey(shown, hostKey)) return error;
  return new ProvisionError("ERR_HOST_KEY_CHANGED");
}

function isCode(error: unknown, code: ProvisionErrorCode): boolean {
  return error instanceof ProvisionError && error.code === code;
}
