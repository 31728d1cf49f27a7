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
import type { SeenEnd } from "../doctor/grade.ts";
import { FrameLink } from "../ipc/frames.ts";
import {
  CELL_ENDED_BYTES,
  CELL_HANDLE_BYTES,
  cellEndings,
  CellReport,
} from "../ipc/keeper-link.ts";
import type { Log } from "../log/log.ts";

/** What is known of a task's memory after it. */
export interface TaskEnd {
  /** `null` where no cell was, where it died, or could not overwrite everything. */
  readonly cell: Receipt["cell"];
  readonly seen: SeenEnd;
}

const UNSEEN: TaskEnd = { cell: null, seen: "unseen" };
/** A child outlives neither its cell nor the cell's guard, who have the channel. */
const GONE: TaskEnd = { cell: null, seen: "freed" };

/** Overwriting 100 GB takes half of this; a cell that is still at it then is not waited for. */
const REPORT_TIMEOUT_MS = 60_000;

/** A task's channel closes within moments of its report; one that was never certified has none. */
const UNASKED_MS = 10_000;

/** A cell says its handle first of all, before there is a child; in milliseconds. */
const HANDLE_TIMEOUT_MS = 10_000;

export class CellReports {
  readonly #sockets = new Set<Socket>();
  readonly #reports = new Map<string, PromiseWithResolvers<TaskEnd>>();
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
    const report = Promise.withResolvers<TaskEnd>();
    let handle: string | undefined;
    let hasEnded = false;
    // Not when it is hung up on for what it said: then it still lives.
    socket.once("end", () => (hasEnded = true));
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
      report.resolve(hasEnded ? GONE : UNSEEN);
      if (handle === undefined) return;
      const unasked = handle;
      setTimeout(() => this.#forget(unasked, report), UNASKED_MS).unref();
    });
  }

  /**
   * Waits for the end of what the cell is doing to its child.
   */
  async of(handle: Buffer | undefined): Promise<TaskEnd> {
    const report = handle && this.#reports.get(handle.toString("hex"));
    if (!report) return UNSEEN;
    const late = setTimeout(() => report.resolve(UNSEEN), REPORT_TIMEOUT_MS);
    const end = await report.promise;
    clearTimeout(late);
    this.#forget(handle.toString("hex"), report);
    return end;
  }

  #forget(handle: string, report: PromiseWithResolvers<TaskEnd>): void {
    if (this.#reports.get(handle) === report) this.#reports.delete(handle);
  }

  /** @throws RangeError */
  #decodeEnded(kind: number, body: Buffer): TaskEnd {
    const end = cellEndings[(body[0] ?? 0) - 1];
    if (kind !== CellReport.ended || body.length !== CELL_ENDED_BYTES || !end)
      throw new RangeError("no such report");
    const unreached = body.readBigUInt64BE(9);
    if (unreached > 0n) {
      this.#log("wipe-incomplete", { count: Number(unreached) });
      return UNSEEN;
    }
    const wipedBytes = body.readBigUInt64BE(1);
    // In want of memory the kernel takes it as it is, before the cell or while it works.
    const isWhole = end !== "memory" && wipedBytes > 0n;
    return {
      cell: { end, wipedBytes, wipedAt: Number(body.readBigUInt64BE(17)) },
      seen: isWhole ? "overwritten" : "freed",
    };
  }
}

/** @throws RangeError */
function decodeHandle(kind: number, body: Buffer): string {
  if (kind !== CellReport.handle || body.length !== CELL_HANDLE_BYTES)
    throw new RangeError("the handle comes first");
  return body.toString("hex");
}
