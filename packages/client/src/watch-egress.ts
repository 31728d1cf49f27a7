/**
 * A node's egress log, live: asked again and again on a session of its own, which is made again whenever
 * it breaks.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Egress } from "@phantoma/protocol";
import { ControlSession } from "./control-session.ts";
import { isPassing, retryDelayMs } from "./retry.ts";
import type { TunnelOptions } from "./tunnel.ts";

/** An attempt is shown within a second. */
const POLL_MS = 500;
const MAX_EVENTS = 200;

export interface WatchOptions extends Omit<TunnelOptions, "model" | "signal"> {
  /** Ends the watching. */
  readonly signal: AbortSignal;
  /** Attempts after this sequence; absent: from now on. */
  readonly after?: number;
  /** The node was lost; it is looked for until the signal. */
  readonly onLost?: (error: Error) => void;
}

/**
 * The state each time it was asked, with the attempts since the time before. Ends when the signal does.
 *
 * @throws {@link ClientError} for a failure that would only be repeated
 */
export async function* watchEgress(options: WatchOptions): AsyncGenerator<Egress, void> {
  const { signal, onLost } = options;
  let after: number | undefined = options.after;
  for (let failures = 0; !signal.aborted; failures += 1) {
    let session: ControlSession | undefined;
    try {
      session = await ControlSession.open(options);
      after ??= (await session.egress({ limit: 1 })).latest;
      while (!signal.aborted) {
        const egress: Egress = await session.egress({ after, limit: MAX_EVENTS });
        failures = 0;
        // A keeper that began anew counts from 1 again: what it has is asked for at once.
        const hasBegunAnew: boolean = egress.latest < after;
        after = hasBegunAnew ? 0 : (egress.events.at(-1)?.sequence ?? after);
        if (hasBegunAnew) continue;
        yield egress;
        if (egress.events.length < MAX_EVENTS) await pause(POLL_MS, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
      onLost?.(error as Error);
      await pause(retryDelayMs(failures), signal);
    } finally {
      session?.close();
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => undefined);
}
