/**
 * The console locks when the machine's screen does, and before the machine sleeps.
 *
 * A console that the sleep was quicker than locks when the machine wakes, if its idle time is over by then.
 *
 * @module
 */
import type { LockableConsole } from "../session/lockable-console.ts";

type Lockable = Pick<LockableConsole, "requests" | "lockIfLeft">;

/** Electron's `powerMonitor`, or what sends its events. */
export interface PowerEvents {
  on(event: "lock-screen", listener: () => void): unknown;
  on(event: "suspend", listener: () => void): unknown;
  on(event: "resume", listener: () => void): unknown;
}

export function lockWithMachine(power: PowerEvents, session: Lockable): void {
  // Refused where a lock would only pretend; the page has said so.
  const lock = () => void session.requests["lock.now"]({}).catch(() => undefined);
  power.on("lock-screen", lock);
  power.on("suspend", lock);
  power.on("resume", () => void session.lockIfLeft());
}
