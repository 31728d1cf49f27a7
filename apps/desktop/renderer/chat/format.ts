/**
 * Numbers as people read them.
 *
 * @module
 */

/** `1:05`; never below `0:00`. */
export function formatCountdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** `0.42 s`, `12 s`, `38 ms`. */
export function formatDuration(ms: number): string {
  if (ms < 100) return `${Math.round(ms)} ms`;
  return ms < 10_000 ? `${(ms / 1000).toFixed(2)} s` : `${Math.round(ms / 1000)} s`;
}

export function formatRate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}

/** Decimal units, as disks and model files are sold. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** The first and last digits of a long hex name: enough to tell two apart at a glance, not to trust. */
export function shortHex(hex: string): string {
  return `${hex.slice(0, 8)}…${hex.slice(-4)}`;
}

export function formatTime(ms: number, language: string): string {
  return new Date(ms).toLocaleString(language, { dateStyle: "medium", timeStyle: "medium" });
}

/** A time that is known to the hour. */
export function formatHour(ms: number, language: string): string {
  return new Date(ms).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
}
