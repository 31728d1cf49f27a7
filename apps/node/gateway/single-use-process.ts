/**
 * One worker or clerk as the gateway sees it: a connection that warms up, serves once and closes.
 *
 *   starting ──ready──> warm ──assign──> serving ──close──> gone
 *       └──────────────────┴──── close ────┴─────────────────┘
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { closeCodeOf, type CloseCode } from "@phantoma/protocol";
import { FrameLink, type Frame } from "../ipc/frames.ts";
import {
  decodeNumber,
  encodeWarm,
  FromProcess,
  MAX_PROCESS_FRAME_BYTES,
  ToProcess,
  type WarmOrder,
} from "../ipc/process-link.ts";

/** Reading 100 GB from a disk takes about this long; a model that is not ready then never will be. */
const MAX_WARM_MS = 5 * 60_000;

export class SingleUseProcess {
  readonly link: FrameLink;
  #state: "starting" | "warm" | "serving" = "starting";
  #onFrame: ((frame: Frame) => void) | undefined;
  #farewell: CloseCode | undefined;
  #threads = 0;
  readonly #tooLong: NodeJS.Timeout;

  /** @param onReady the process is warm now and may be assigned */
  constructor(connection: Duplex, order: WarmOrder, onReady: (process: SingleUseProcess) => void) {
    this.link = new FrameLink(connection, MAX_PROCESS_FRAME_BYTES, (frame) => {
      if (frame.kind === FromProcess.bye) this.#farewell = closeCodeOf(decodeNumber(frame.body));
      else if (this.#onFrame) this.#onFrame(frame);
      else {
        this.#expectReady(frame);
        onReady(this);
      }
    });
    this.link.send(ToProcess.warm, encodeWarm(order));
    this.#tooLong = setTimeout(() => this.link.close(), MAX_WARM_MS);
    void this.link.closed.then(() => clearTimeout(this.#tooLong));
  }

  get isWarm(): boolean {
    return this.#state === "warm" && this.link.isOpen;
  }

  get isStarting(): boolean {
    return this.#state === "starting" && this.link.isOpen;
  }

  /** Whether no ticket was ever handed to it. */
  get isUnused(): boolean {
    return this.#state !== "serving";
  }

  /** How many threads it found best. */
  get threads(): number {
    return this.#threads;
  }

  /** The close code that the process asked for before it ended; `undefined` when it just died. */
  get farewell(): CloseCode | undefined {
    return this.#farewell;
  }

  /** Hands over the ticket; from here on every frame goes to `onFrame`. */
  assign(ticket: Uint8Array, onFrame: (frame: Frame) => void): void {
    this.#state = "serving";
    this.#onFrame = onFrame;
    this.link.send(ToProcess.assign, ticket);
  }

  #expectReady({ kind, body }: Frame): void {
    if (this.#state !== "starting" || kind !== FromProcess.ready)
      throw new RangeError("not due before a ticket");
    clearTimeout(this.#tooLong);
    this.#threads = decodeNumber(body);
    this.#state = "warm";
  }
}
