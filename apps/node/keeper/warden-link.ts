/**
 * The keeper's connection to the warden: device lists and orders go there as signed, answers and
 * refused attempts come back. It is made again whenever it breaks.
 *
 *   away ──connect──> telling (lists) ──ok──> here ──break──> away
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import type { WardenPart } from "@phantoma/crypto";
import type { OrderRefusal } from "../ipc/keeper-link.ts";
import { LineReader } from "./line-reader.ts";
import {
  MAX_WARDEN_LINE_BYTES,
  readWardenPart,
  readWord,
  wardenStatusSchema,
  type WardenEvent,
  type WardenStatus,
  type WardenWord,
} from "./warden-words.ts";

/** Between two tries, in milliseconds: a warden that restarts is back in about this time. */
const RECONNECT_MS = 250;
/** It persists before it answers, and a disk may be slow; longer is a warden that hangs. */
const ANSWER_TIMEOUT_MS = 5_000;

export interface WardenHandlers {
  /** The lists above a version, oldest first: the warden follows the chain for itself. */
  listsAfter(version: number): readonly Uint8Array[];
  /** The standing order in force, as signed: the warden that restarted, or that got a new list, is shown it again. */
  standingOrder(): Uint8Array | undefined;
  here(status: WardenStatus): void;
  away(): void;
  event(event: WardenEvent): void;
  windowClosed(): void;
}

/** The warden's own answer, or that it gave none. */
export type WardenAnswer<T> =
  { readonly ok: T } | { readonly refused: OrderRefusal | "ERR_NO_WARDEN" };

interface Waiting {
  resolve(word: WardenWord): void;
  reject(): void;
}

export class WardenLink {
  readonly #path: string;
  readonly #handlers: WardenHandlers;
  #socket: Socket | undefined;
  #waiting: Waiting[] = [];
  #isHere = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  #asked: Promise<WardenStatus | undefined> | undefined;

  constructor(path: string, handlers: WardenHandlers) {
    this.#path = path;
    this.#handlers = handlers;
    this.#connect();
  }

  /** Passes an order on as it was signed. */
  openWindow(order: Uint8Array): Promise<WardenAnswer<unknown>> {
    return this.#order(`window ${hex(order)}`);
  }

  /** The same for a standing order. */
  report(order: Uint8Array): Promise<WardenAnswer<unknown>> {
    return this.#order(`report ${hex(order)}`);
  }

  /** The warden's part of the receipt that begins so; `null` where it has none. */
  async witness(begun: Uint8Array): Promise<WardenPart | "live" | null> {
    const word = this.#isHere ? await this.#ask(`witness ${hex(begun)}`) : undefined;
    return word?.word === "ok" ? readWardenPart(word.json) : null;
  }

  closeWindow(): Promise<WardenAnswer<unknown>> {
    return this.#order("close-window");
  }

  /** Tells the lists that it does not know yet, as far as they can be read; the next time tells the rest. */
  async tellDevices(): Promise<void> {
    const known = await this.status();
    if (!known) return;
    let lists: readonly Uint8Array[];
    try {
      lists = this.#handlers.listsAfter(known.deviceListVersion);
    } catch {
      return;
    }
    for (const list of lists) await this.#ask(`device-list ${hex(list)}`);
    const order = this.#handlers.standingOrder();
    if (order) await this.#ask(`report ${hex(order)}`);
  }

  /** `undefined` when the warden is away. Who asks while another one waits gets the same answer. */
  status(): Promise<WardenStatus | undefined> {
    this.#asked ??= this.#askStatus().finally(() => (this.#asked = undefined));
    return this.#asked;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
  }

  async #order(line: string): Promise<WardenAnswer<unknown>> {
    const word = this.#isHere ? await this.#ask(line) : undefined;
    if (word?.word === "ok") return { ok: word.json };
    return { refused: word?.word === "refused" ? word.code : "ERR_NO_WARDEN" };
  }

  async #askStatus(): Promise<WardenStatus | undefined> {
    const word = await this.#ask("status");
    if (word?.word !== "ok") return undefined;
    const parsed = wardenStatusSchema.safeParse(word.json);
    if (!parsed.success) this.#socket?.destroy();
    return parsed.data;
  }

  /** The answer to one line; `undefined` when the connection broke first. */
  #ask(line: string): Promise<WardenWord | undefined> {
    const socket = this.#socket;
    if (!socket || socket.destroyed || socket.connecting) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const late = setTimeout(() => socket.destroy(), ANSWER_TIMEOUT_MS);
      const settle = (word: WardenWord | undefined) => {
        clearTimeout(late);
        resolve(word);
      };
      this.#waiting.push({ resolve: settle, reject: () => settle(undefined) });
      socket.write(`${line}\n`);
    });
  }

  #connect(): void {
    const lines = new LineReader(MAX_WARDEN_LINE_BYTES);
    const socket = connect({ path: this.#path });
    this.#socket = socket;
    socket.on("connect", () => void this.#introduce());
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const line of lines.push(chunk)) this.#take(readWord(line));
      } catch {
        socket.destroy();
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.destroy());
    socket.on("close", () => this.#broke());
  }

  async #introduce(): Promise<void> {
    await this.tellDevices();
    const status = await this.#askStatus();
    if (!status) return void this.#socket?.destroy();
    this.#isHere = true;
    this.#handlers.here(status);
  }

  #broke(): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject();
    if (this.#isHere) this.#handlers.away();
    this.#isHere = false;
    if (!this.#isClosed) this.#retry = setTimeout(() => this.#connect(), RECONNECT_MS);
  }

  /** @throws RangeError on an answer that nobody waits for */
  #take(word: WardenWord): void {
    switch (word.word) {
      case "event":
        return this.#handlers.event(word.event);
      case "lost":
        // Counted by the warden: what it lost is in its status.
        return;
      case "window-closed":
        return this.#handlers.windowClosed();
      case "ok":
      case "refused": {
        const waiting = this.#waiting.shift();
        if (!waiting) throw new RangeError("an answer that nobody waits for");
        waiting.resolve(word);
      }
    }
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
