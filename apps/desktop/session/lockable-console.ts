/**
 * The console with a lock around it: what is asked of it while it is locked is refused, and there is nothing behind it.
 *
 *   locked ──open──> open ──on demand, or nobody there──> locking ──everything ended──> locked
 *
 * Locking ends workers, demo node and endpoint, and lets go of the device's key. The page is told, and has to go too.
 *
 *   HOME/lock.json   0600, after how many minutes it locks by itself
 *
 * @module
 */
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Secret } from "@phantoma/crypto";
import { z } from "zod";
import type { ConsoleEvent } from "../ipc/contract.ts";
import { requests as contract, streams as streamContract } from "../ipc/contract.ts";
import { lockSchema, type LockView } from "../ipc/lock.ts";
import type { RequestHandlers, StreamHandlers } from "../ipc/router.ts";
import { ConsoleSession, type ConsoleSessionOptions, type LockRequest } from "./console-session.ts";
import { DesktopError } from "./desktop-error.ts";
import type { KeyStore } from "./key-store.ts";
import { makePrivateDir, readIfPresent, writePrivate } from "./private-file.ts";

export type LockableOptions = Omit<ConsoleSessionOptions, "keyStore"> & { readonly keys: KeyStore };

const idleFileSchema = z.strictObject({ idleMinutes: lockSchema.shape.idleMinutes });
const MINUTE_MS = 60_000;

type Handler = (...of: unknown[]) => Promise<unknown>;

export class LockableConsole {
  readonly #options: LockableOptions;
  readonly #listeners = new Set<(event: ConsoleEvent) => void>();
  readonly #idlePath: string;
  #session: ConsoleSession | undefined;
  #opened: Awaited<ReturnType<KeyStore["open"]>> | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** By the wall clock: a timer's clock stands still while the machine sleeps. */
  #idleSince = Date.now();
  #idleMinutes: LockView["idleMinutes"];
  #answering = 0;
  #turning: Promise<unknown> = Promise.resolve();

  /** Opens at once where no passphrase is wanted: the system's key store, or a file, gives the key. */
  static async start(options: LockableOptions): Promise<LockableConsole> {
    const locked = new LockableConsole(options);
    if (options.keys.opensWith !== "passphrase") await locked.#open(undefined);
    return locked;
  }

  private constructor(options: LockableOptions) {
    this.#options = options;
    makePrivateDir(options.homeDir);
    this.#idlePath = join(options.homeDir, "lock.json");
    this.#idleMinutes = readIdle(readIfPresent(this.#idlePath));
  }

  /** @returns the function that ends the subscription; it outlives a lock */
  subscribe(listener: (event: ConsoleEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get requests(): RequestHandlers {
    const behind = Object.keys(contract).map((name) => [
      name,
      async (input: unknown) => (this.#behind().requests as Record<string, Handler>)[name]!(input),
    ]);
    return { ...Object.fromEntries(behind), ...this.#own } as RequestHandlers;
  }

  get streams(): StreamHandlers {
    const behind = Object.keys(streamContract).map((name) => [
      name,
      async (...of: unknown[]) => {
        const { streams } = this.#behind();
        this.#answering += 1;
        try {
          await (streams as unknown as Record<string, Handler>)[name]!(...of);
        } finally {
          this.#answering -= 1;
          this.#somebodyIsThere();
        }
      },
    ]);
    return Object.fromEntries(behind) as StreamHandlers;
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    await this.#turning.catch(() => undefined);
    await this.#session?.close();
    this.#listeners.clear();
  }

  /** @returns whether nobody was there for longer than was set, so that it locked or was locked */
  async lockIfLeft(): Promise<boolean> {
    if (!this.#session) return true;
    const isLeft =
      this.#idleMinutes !== null && Date.now() - this.#idleSince >= this.#idleMinutes * MINUTE_MS;
    if (!isLeft || this.#answering > 0) return false;
    await this.#lock().catch(() => undefined);
    return !this.#session;
  }

  readonly #own: Pick<RequestHandlers, LockRequest> = {
    "lock.get": async () => this.#view,
    "lock.now": async () => {
      await this.#lock();
      return this.#view;
    },
    "lock.open": async ({ passphrase: typed }) => {
      await withTyped(typed, (passphrase) => this.#inTurn(() => this.#open(passphrase)));
      return this.#view;
    },
    "lock.setPassphrase": async ({ passphrase: typed, current: typedNow }) => {
      this.#behind();
      const { keys } = this.#options;
      await this.#inTurn(async () => {
        // Who finds the console open does not know it, and may not make the key theirs alone.
        if (keys.opensWith === "passphrase") await withTyped(typedNow, (now) => keys.open(now));
        this.#behind();
        const { device } = this.#opened!;
        await withTyped(typed, (passphrase) => keys.setPassphrase(device, passphrase!));
      });
      return this.#view;
    },
    "lock.setIdle": async ({ minutes }) => {
      this.#behind();
      if (minutes !== null) this.#assertWorthIt();
      this.#idleMinutes = minutes;
      writePrivate(this.#idlePath, JSON.stringify({ idleMinutes: minutes }));
      this.#somebodyIsThere();
      return this.#view;
    },
    "lock.active": async () => {
      // The hand that wakes a machine may be anybody's.
      if (!(await this.lockIfLeft())) this.#somebodyIsThere();
      return {};
    },
  };

  get #view(): LockView {
    const { opensWith } = this.#options.keys;
    return { isLocked: !this.#session, opensWith, idleMinutes: this.#idleMinutes };
  }

  #behind(): ConsoleSession {
    if (!this.#session) throw new DesktopError("ERR_LOCKED", "the console is locked");
    return this.#session;
  }

  async #open(passphrase: Secret | undefined): Promise<void> {
    if (this.#session) return;
    const { keys, ...options } = this.#options;
    this.#opened = await keys.open(passphrase);
    this.#session = new ConsoleSession({ ...options, keyStore: this.#opened });
    this.#session.subscribe((event) => this.#tell(event));
    this.#somebodyIsThere();
  }

  /** @throws {@link DesktopError} `ERR_LOCK_POINTLESS`: the key could be read all the same */
  async #lock(): Promise<void> {
    if (!this.#session) return;
    this.#assertWorthIt();
    await this.#inTurn(async () => {
      const session = this.#session;
      // Refuses from here on, though some of it is still ending.
      this.#session = undefined;
      this.#opened = undefined;
      clearTimeout(this.#idle);
      await session?.close();
      this.#tell({ event: "console.locked" });
      setImmediate(collectNow);
    });
  }

  #assertWorthIt(): void {
    const { opensWith } = this.#options.keys;
    if (opensWith === "keyring" || opensWith === "passphrase") return;
    throw new DesktopError("ERR_LOCK_POINTLESS", "nothing that a lock could close has the key");
  }

  #somebodyIsThere(): void {
    clearTimeout(this.#idle);
    this.#idleSince = Date.now();
    if (!this.#session || this.#idleMinutes === null) return;
    const lock = () => {
      // Who reads a long answer moves no hand.
      if (this.#answering > 0) this.#somebodyIsThere();
      else void this.#lock().catch(() => undefined);
    };
    this.#idle = setTimeout(lock, this.#idleMinutes * MINUTE_MS).unref();
  }

  /** One after the other: no console is opened while another is being closed. */
  #inTurn(act: () => Promise<void>): Promise<void> {
    const acting = this.#turning.then(act, act);
    this.#turning = acting.catch(() => undefined);
    return acting;
  }

  #tell(event: ConsoleEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** What is typed into a page is a text there; here it is bytes, and gone after its use. */
async function withTyped<T>(
  typed: string | null,
  use: (passphrase: Secret | undefined) => Promise<T>,
): Promise<T> {
  const passphrase = typed === null ? undefined : new Secret(Buffer.from(typed, "utf8"));
  try {
    return await use(passphrase);
  } finally {
    passphrase?.erase();
  }
}

/** A file that cannot be understood is as good as none. */
function readIdle(untrusted: Buffer | undefined): LockView["idleMinutes"] {
  if (!untrusted) return null;
  try {
    return idleFileSchema.parse(JSON.parse(untrusted.toString("utf8"))).idleMinutes;
  } catch {
    return null;
  }
}

/** OpenSSL overwrites a private key when its object is collected; so that is not left to chance. */
function collectNow(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  collect();
}
