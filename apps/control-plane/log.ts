/**
 * The log: one JSON line per event, with fields from a closed list. No address, no key, no path, no text of anybody's.
 *
 * @module
 */

export interface LogFields {
  /** The pattern of the route, never what was asked for. */
  readonly route?: string;
  readonly status?: number;
  readonly code?: string;
  readonly durationMs?: number;
  readonly port?: number;
  readonly count?: number;
}

export type Log = (event: string, fields?: LogFields) => void;

export const writeLog: Log = (event, { route, status, code, durationMs, port, count } = {}) => {
  const fields = { route, status, code, durationMs, port, count };
  process.stderr.write(`${JSON.stringify({ time: Date.now(), event, ...fields })}\n`);
};
