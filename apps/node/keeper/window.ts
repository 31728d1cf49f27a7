/**
 * The window: an order on its way to the warden, the order that the fetcher works from, and the files
 * that come in under it.
 *
 *   closed ──order, the warden agrees──> open ──deadline, close, all files done──> closed
 *
 * The order file exists exactly while a window is open or one of its files is being stored.
 *
 * @module
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import {
  activeAdmin,
  addressText,
  CryptoError,
  sameBytes,
  windowOrderDocument,
  type VerifiedDeviceList,
  type WindowOrder,
} from "@phantoma/crypto";
import type { OpenWindow, Transfer, WindowState } from "@phantoma/protocol";
import { readProgress, type FileProgress } from "../orders/progress.ts";
import type { OrderRefusal } from "../ipc/keeper-link.ts";
import { storeFaultOf, storeModel } from "../models/model-store.ts";
import { modelNameOf } from "../orders/model-name.ts";
import { ORDER_FILE } from "../setup/paths.ts";
import { writePublicFile } from "../setup/public-file.ts";
import { orderRefusalOf } from "./order-refusal.ts";
import type { WardenAnswer, WardenLink } from "./warden-link.ts";
import type { WardenStatus } from "./warden-words.ts";

/** As long as an admin must be awake for it; the warden holds to the same. */
export const MAX_WINDOW_MS = 30 * 60_000;
/** How often the fetcher's progress is looked at: a person watches it. */
const POLL_MS = 250;
/** The warden says that a deadline has passed within milliseconds, unless it is dead. */
const CLOSE_GRACE_MS = 2_000;

export interface WindowOptions {
  readonly node: Uint8Array;
  readonly ordersDir: string;
  readonly quarantineDir: string;
  readonly modelsDir: string;
  readonly warden: WardenLink;
  devices(): VerifiedDeviceList;
}

export class Window {
  readonly #options: WindowOptions;
  readonly #orderPath: string;
  #open: WindowOrder | undefined;
  #transfers: Transfer[] = [];
  /** Files that are being copied and hashed now. */
  readonly #storing = new Set<Promise<void>>();
  #poll: NodeJS.Timeout | undefined;
  #isOpening = false;
  #isClosing = false;

  constructor(options: WindowOptions) {
    this.#options = options;
    this.#orderPath = join(options.ordersDir, ORDER_FILE);
    this.#goOn();
  }

  /** @returns why the window did not open */
  async open(
    untrusted: Uint8Array,
    now: number,
  ): Promise<OrderRefusal | "ERR_NO_WARDEN" | undefined> {
    if (this.#open || this.#isOpening) return "ERR_WINDOW_OPEN";
    const order = this.#verify(untrusted, now);
    if (typeof order === "string") return order;
    this.#isOpening = true;
    try {
      const answer = await this.#options.warden.openWindow(untrusted);
      if ("refused" in answer) return answer.refused;
      this.#begin(order);
      mkdirSync(this.#options.ordersDir, { recursive: true, mode: 0o755 });
      writePublicFile(this.#orderPath, untrusted);
      return undefined;
    } catch {
      await this.close();
      return "ERR_STORAGE";
    } finally {
      this.#isOpening = false;
    }
  }

  /** What is not here by then does not come, whether or not the warden answers. */
  async close(): Promise<WardenAnswer<unknown>> {
    const answer = await this.#options.warden.closeWindow();
    await this.closed();
    return answer;
  }

  /** It is closed in the kernel: by its deadline, or because the warden was asked to. */
  async closed(): Promise<void> {
    if (!this.#open) return;
    this.#takeProgress();
    this.#open = undefined;
    clearInterval(this.#poll);
    for (const { digest, state, error } of this.#transfers)
      if (state === "waiting" || state === "fetching")
        // Why the last try failed tells more than that there was no time for another.
        this.#set(digest, { state: "failed", error: error ?? "ERR_WINDOW_CLOSED" });
    // The fetcher clears its quarantine when the order is gone: not under a copy.
    await Promise.all(this.#storing);
    if (!this.#open) rmSync(this.#orderPath, { force: true });
  }

  /** What the warden says is open counts; what only one of both knows of is closed. */
  async compareWith(window: WardenStatus["window"]): Promise<void> {
    if (this.#isOpening) return;
    if (this.#open && window?.counter !== String(this.#open.counter)) await this.closed();
    if (window && !this.#open) await this.#options.warden.closeWindow();
  }

  state(highestCounter: string): WindowState {
    const open = this.#open && describe(this.#open);
    return { open: open ?? null, highestCounter, transfers: this.#transfers };
  }

  stop(): void {
    clearInterval(this.#poll);
  }

  /** A window that was open when this process began. */
  #goOn(): void {
    try {
      const order = this.#verify(readFileSync(this.#orderPath), Date.now());
      if (typeof order === "string") rmSync(this.#orderPath, { force: true });
      else this.#begin(order);
    } catch {
      return;
    }
  }

  #verify(untrusted: Uint8Array, now: number): WindowOrder | OrderRefusal {
    const { node } = this.#options;
    try {
      const order = windowOrderDocument.open(
        untrusted,
        ({ signer }) => activeAdmin(this.#options.devices(), signer)?.signingKey,
      );
      if (!sameBytes(order.node, node)) return "ERR_ORDER_NODE";
      if (order.notAfter <= now) return "ERR_ORDER_EXPIRED";
      if (order.notAfter > now + MAX_WINDOW_MS) return "ERR_ORDER_TOO_LONG";
      if (order.endpoints.length === 0 || order.files.length === 0) return "ERR_DOCUMENT_FIELD";
      return order;
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      return orderRefusalOf(error);
    }
  }

  #begin(order: WindowOrder): void {
    this.#open = order;
    this.#transfers = order.files.map(({ name, digest, size }) => ({
      name,
      digest: hex(digest),
      bytes: Number(size),
      received: 0,
      state: "waiting",
      error: null,
    }));
    this.#poll = setInterval(() => void this.#look(), POLL_MS);
  }

  async #look(): Promise<void> {
    const order = this.#open;
    if (!order || this.#isClosing) return;
    this.#takeProgress();
    // A warden that is not there to say so does not keep it open: the kernel has closed it.
    if (Date.now() > order.notAfter + CLOSE_GRACE_MS) return this.closed();
    if (!this.#transfers.every(({ state }) => state === "stored" || state === "failed")) return;
    // Nothing is left to fetch: every second it stays open is for nothing.
    this.#isClosing = true;
    await this.close().finally(() => (this.#isClosing = false));
  }

  #takeProgress(): void {
    const { quarantineDir } = this.#options;
    for (const file of readProgress(quarantineDir, this.#open!.counter)) this.#progressed(file);
  }

  #progressed({ digest, received, state, error }: FileProgress): void {
    const transfer = this.#transfers.find((one) => one.digest === digest);
    if (!transfer || (transfer.state !== "waiting" && transfer.state !== "fetching")) return;
    if (state !== "fetched") return this.#set(digest, { received, state, error });
    this.#set(digest, { received: transfer.bytes, state: "storing", error: null });
    const storing = this.#store(transfer);
    this.#storing.add(storing);
    void storing.then(() => this.#storing.delete(storing));
  }

  async #store({ name, digest, bytes }: Transfer): Promise<void> {
    const { quarantineDir, modelsDir } = this.#options;
    const model = { name: modelNameOf(name), digest, bytes };
    try {
      await storeModel(modelsDir, join(quarantineDir, `${basename(digest)}.part`), model);
      this.#set(digest, { state: "stored" });
    } catch (error) {
      this.#set(digest, { state: "failed", error: storeFaultOf(error) });
    }
  }

  #set(digest: string, change: Partial<Transfer>): void {
    this.#transfers = this.#transfers.map((one) =>
      one.digest === digest ? { ...one, ...change } : one,
    );
  }
}

function describe({ counter, notAfter, endpoints, files }: WindowOrder): OpenWindow {
  return {
    counter: String(counter),
    notAfter,
    endpoints: endpoints.map(({ name, address, port }) => ({
      name,
      address: addressText(address),
      port,
    })),
    files: files.map(({ name, digest, size }) => ({
      name,
      digest: hex(digest),
      bytes: Number(size),
    })),
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
