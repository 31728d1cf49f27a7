/**
 * What cells say of their children's end, each on a channel of its own, until the task's receipt asks.
 *
 * A report belongs to the task on whose channel the cell said the same handle; the child never had it and
 * cannot write its own.
 *
 * @module
 */
import type { Receipt } from "@phantoma/crypto";
import type { Socket } from "node:net";
import { FrameLink } from "../ipc/frames.ts";
import {
  CELL_ENDED_BYTES,
  CELL_HANDLE_BYTES,
  cellEndings,
  CellReport,
} from "../ipc/keeper-link.ts";
import type { Log } from "../log/log.ts";

export type CellPart = Receipt["cell"];

/** Overwriting 100 GB takes half of this; a cell that is still at it then is not waited for. */
const REPORT_TIMEOUT_MS = 60_000;

/** A task's channel closes within moments of its report; one that was never certified has none. */
const UNASKED_MS = 10_000;

/** A cell says its handle first of all, before there is a child; in milliseconds. */
const HANDLE_TIMEOUT_MS = 10_000;

export class CellReports {
  readonly #sockets = new Set<Socket>();
  readonly #reports = new Map<string, PromiseWithResolvers<CellPart>>();
  readonly #log: Log;

  readonly #max: number;

  /** @param max connections at once, and reports that are kept */
  constructor(log: Log, max: number) {
    this.#log = log;
    this.#max = max;
  }

  get count(): number {
    return this.#reports.size;
  }

  /** A cell's own channel, before it has said anything. */
  take(socket: Socket): void {
    if (this.#sockets.size >= this.#max || this.count >= this.#max) return void socket.destroy();
    this.#sockets.add(socket);
    const late = setTimeout(() => socket.destroy(), HANDLE_TIMEOUT_MS);
    const report = Promise.withResolvers<CellPart>();
    let handle: string | undefined;
    const link = new FrameLink(socket, CELL_ENDED_BYTES, ({ kind, body }) => {
      if (handle === undefined) {
        handle = decodeHandle(kind, body);
        if (this.#reports.has(handle)) throw new RangeError("somebody else's handle");
        this.#reports.set(handle, report);
        clearTimeout(late);
      } else {
        report.resolve(this.#decodeEnded(kind, body));
      }
    });
    void link.closed.then(() => {
      this.#sockets.delete(socket);
      clearTimeout(late);
      // After a report this changes nothing.
      report.resolve(null);
      if (handle === undefined) return;
      const unasked = handle;
      setTimeout(() => this.#forget(unasked, report), UNASKED_MS).unref();
    });
  }

  /**
   * Waits for the end of what the cell is doing to its child.
   *
   * @returns `null` where no cell was, where it died, or could not overwrite everything
   */
  async of(handle: Buffer | undefined): Promise<CellPart> {
    const report = handle && this.#reports.get(handle.toString("hex"));
    if (!report) return null;
    const late = setTimeout(() => report.resolve(null), REPORT_TIMEOUT_MS);
    const part = await report.promise;
    clearTimeout(late);
    this.#forget(handle.toString("hex"), report);
    return part;
  }

  #forget(handle: string, report: PromiseWithResolvers<CellPart>): void {
    if (this.#reports.get(handle) === report) this.#reports.delete(handle);
  }

  /** @throws RangeError */
  #decodeEnded(kind: number, body: Buffer): CellPart {
    const end = cellEndings[(body[0] ?? 0) - 1];
    if (kind !== CellReport.ended || body.length !== CELL_ENDED_BYTES || !end)
      throw new RangeError("no such report");
    const unreached = body.readBigUInt64BE(9);
    if (unreached > 0n) {
      this.#log("wipe-incomplete", { count: Number(unreached) });
      return null;
    }
    return { end, wipedBytes: body.readBigUInt64BE(1), wipedAt: Number(body.readBigUInt64BE(17)) };
  }
}

/** @throws RangeError */
function decodeHandle(kind: number, body: Buffer): string {
  if (kind !== CellReport.handle || body.length !== CELL_HANDLE_BYTES)
    throw new RangeError("the handle comes first");
  return body.toString("hex");
}
