/**
 * Tells the console that somebody is there, so that it does not lock under a person's hands.
 *
 * @module
 */
import { bridge } from "../app/bridge.ts";

/** A lock is set in minutes: saying it twice a minute is enough. */
const SAY_MS = 30_000;

export function followActivity(): void {
  let saidAt = -SAY_MS;
  const say = () => {
    if (performance.now() - saidAt < SAY_MS) return;
    saidAt = performance.now();
    void bridge.request("lock.active", {});
  };
  for (const event of ["keydown", "pointerdown", "pointermove", "wheel"])
    addEventListener(event, say, { passive: true, capture: true });
}
