/**
 * The node's log: one JSON line per event on standard error, volatile, and closed.
 *
 * An event is a name from the caller's source and fields from this list; there is no free text, so
 * no line can hold a word of a prompt, an address or a key.
 *
 * @module
 */

/** Every field that a log line may have. Numbers and names from closed lists only. */
export interface LogFields {
  readonly code?: string;
  readonly count?: number;
  readonly durationMs?: number;
  readonly port?: number;
  readonly version?: number;
  /** First 8 hex digits of a model's digest: enough to tell two models apart. */
  readonly model?: string;
}

export type Log = (event: string, fields?: LogFields) => void;

/** @param role which process speaks */
export function openLog(role: "gateway" | "keeper" | "fetcher" | "herald" | "demo"): Log {
  return (event, { code, count, durationMs, port, version, model } = {}) => {
    const fields = { code, count, durationMs, port, version, model };
    process.stderr.write(`${JSON.stringify({ time: Date.now(), role, event, ...fields })}\n`);
  };
}
