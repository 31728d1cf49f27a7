/**
 * One device's connection: first its place in the queue, then bytes both ways, never parsed.
 *
 *   queued ──process──> relaying ──either side closes──> closed
 *
 * @module
 */
import { MESSAGE_1_BYTES } from "@phantoma/crypto";
import { CloseCode, encodeNote, MAX_QUEUE_WAIT_MS, MAX_SESSION_MS } from "@phantoma/protocol";
import type { RawData, WebSocket } from "ws";
import type { Frame } from "../ipc/frames.ts";
import { decodeNumber, FromProcess, ToProcess } from "../ipc/process-link.ts";
import type { DecodeGate, Decoder } from "./decode-gate.ts";
import type { Pool, Waiter } from "./pool.ts";
import type { SingleUseProcess } from "./single-use-process.ts";
import type { Paced, TickClock } from "./tick-clock.ts";

/** A client that takes no bytes is waited for this long, then dropped. */
const SLOW_CLIENT_MS = 30_000;
/** Bytes that may wait for a slow client, or for a busy worker, before we stop reading. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** A connection that does not answer this often is dead, whatever TCP thinks. */
const PING_MS = 15_000;

export interface TunnelOptions {
  readonly socket: WebSocket;
  readonly ticket: Uint8Array;
  readonly pool: Pool;
  readonly clock: TickClock;
  readonly gate: DecodeGate;
}

export class Tunnel implements Waiter, Paced, Decoder {
  readonly #options: TunnelOptions;
  readonly #socket: WebSocket;
  #process: SingleUseProcess | undefined;
  #early: Uint8Array | undefined;
  #held: Buffer[] = [];
  #asked = 0;
  #isPaced = false;
  #isHeldBack = false;
  #hasSpoken = false;
  #hasAnswered = false;
  #wasHeard = true;
  #slowSince = 0;
  readonly #timers: NodeJS.Timeout[];
  /** How many ticks had no record because the worker was late. */
  late = 0;

  constructor(options: TunnelOptions, onClosed: (tunnel: Tunnel) => void) {
    this.#options = options;
    this.#socket = options.socket;
    this.#timers = [
      setTimeout(() => this.#expireInQueue(), MAX_QUEUE_WAIT_MS),
      setTimeout(() => this.close(CloseCode.timeout), MAX_SESSION_MS),
      setInterval(() => this.#checkAlive(), PING_MS),
    ];
    this.#socket.on("message", (message, isBinary) => this.#fromDevice(message, isBinary));
    this.#socket.on("pong", () => (this.#wasHeard = true));
    this.#socket.on("error", () => this.#socket.terminate());
    this.#socket.on("close", () => {
      this.#release();
      onClosed(this);
    });
    options.pool.join(this);
  }

  close(code: CloseCode): void {
    // A connection that is ending takes no worker from those who wait.
    this.#options.pool.leave(this);
    this.#releaseHeld();
    this.#process?.link.close();
    this.#socket.close(code);
    // A peer that does not answer the close is not waited for.
    setTimeout(() => this.#socket.terminate(), 1_000).unref();
  }

  note(note: Parameters<typeof encodeNote>[0]): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(encodeNote(note));
  }

  // As the pool sees it.

  serve(process: SingleUseProcess): void {
    this.#process = process;
    process.assign(this.#options.ticket, (frame) => this.#fromProcess(frame));
    this.note({ note: "assigned" });
    if (this.#early) process.link.send(ToProcess.data, this.#early);
    this.#early = undefined;
    void process.link.closed.then(() => this.close(process.farewell ?? CloseCode.died));
  }

  moved(position: number): void {
    this.note({ note: "queued", position });
  }

  fail(closeCode: CloseCode | undefined): void {
    this.close(closeCode ?? CloseCode.died);
  }

  // As the decode gate sees it.

  go(): void {
    this.#process?.link.send(ToProcess.go);
  }

  waits(position: number): void {
    this.note({ note: "queued", position });
  }

  // As the clock sees it.

  ask(): void {
    if (!this.#isPaced || this.#held.length + this.#asked > 0 || this.#isSlow()) return;
    this.#asked += 1;
    this.#process?.link.send(ToProcess.ask);
  }

  tick(): void {
    const record = this.#held.shift();
    if (record) this.#socket.send(record, { binary: true });
    else if (this.#asked > 0) this.late += 1;
    if (!this.#isPaced && this.#held.length === 0) this.#options.clock.remove(this);
  }

  #fromDevice(message: RawData, isBinary: boolean): void {
    this.#wasHeard = true;
    // A device has nothing to tell the gateway: text is not understood, so the connection ends.
    if (!isBinary) return this.close(CloseCode.limit);
    // Before message 2 only message 1 is due: more would pile up in a process that cannot read it yet.
    if (!this.#hasAnswered) {
      if (this.#hasSpoken || (message as Buffer).length > MESSAGE_1_BYTES)
        return this.close(CloseCode.limit);
      this.#hasSpoken = true;
    }
    if (!this.#process) return this.#keepEarly(message as Buffer);
    const { link } = this.#process;
    link.send(ToProcess.data, message as Buffer);
    // What had arrived before the pause still comes; one waits for the drain.
    if (link.queuedBytes <= MAX_WAITING_BYTES || this.#socket.isPaused) return;
    this.#socket.pause();
    void link.drained().then(() => this.#socket.resume());
  }

  /** Message 1 may come before a worker is there to read it. */
  #keepEarly(message: Buffer): void {
    // Bytes of its own: a slice of Buffer's pool would keep 64 KiB of it as long as this waits.
    this.#early = new Uint8Array(message);
  }

  /** Throws on a frame that no process may send; the link closes then. */
  #fromProcess({ kind, body }: Frame): void {
    switch (kind) {
      case FromProcess.data:
        this.#hasAnswered = true;
        // Records count, so one that was sealed earlier and waits for its tick goes first.
        this.#releaseHeld();
        this.#socket.send(body, { binary: true });
        return this.#holdBackForSlowClient();
      case FromProcess.steady:
        // An ask may cross the end of one answer and be met in the next, but only one can be out.
        if (this.#held.length > 1) throw new RangeError("more records than were asked for");
        this.#asked = 0;
        this.#held.push(Buffer.from(body));
        return;
      case FromProcess.pace:
        return this.#pace(decodeNumber(body) === 1);
      case FromProcess.turn:
        if (decodeNumber(body) === 1) this.#options.gate.wants(this, this.#process?.threads);
        else this.#options.gate.done(this);
        return;
      default:
        throw new RangeError("no such frame");
    }
  }

  #pace(isOn: boolean): void {
    if (isOn === this.#isPaced) return;
    this.#isPaced = isOn;
    this.#asked = 0;
    // The last record waits for its tick like every other; the tick after it ends the pace.
    if (isOn) this.#options.clock.add(this);
  }

  #releaseHeld(): void {
    for (const record of this.#held.splice(0))
      if (this.#socket.readyState === this.#socket.OPEN)
        this.#socket.send(record, { binary: true });
  }

  #holdBackForSlowClient(): void {
    const link = this.#process?.link;
    if (!link || this.#isHeldBack || this.#socket.bufferedAmount <= MAX_WAITING_BYTES) return;
    this.#isHeldBack = true;
    link.pause();
    const retry = setInterval(() => {
      if (link.isOpen && this.#isSlow()) return;
      clearInterval(retry);
      this.#isHeldBack = false;
      link.resume();
    }, 20);
  }

  /** Whether the client lets bytes pile up; one that does so too long is dropped. */
  #isSlow(): boolean {
    if (this.#socket.bufferedAmount <= MAX_WAITING_BYTES) {
      this.#slowSince = 0;
      return false;
    }
    this.#slowSince ||= Date.now();
    if (Date.now() - this.#slowSince > SLOW_CLIENT_MS) this.#socket.terminate();
    return true;
  }

  #expireInQueue(): void {
    if (!this.#process) this.close(CloseCode.busy);
  }

  #checkAlive(): void {
    if (!this.#wasHeard) return this.#socket.terminate();
    this.#wasHeard = false;
    this.#socket.ping();
  }

  #release(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#options.pool.leave(this);
    this.#options.clock.remove(this);
    this.#options.gate.done(this);
    this.#process?.link.close();
    for (const record of this.#held.splice(0)) record.fill(0);
  }
}
